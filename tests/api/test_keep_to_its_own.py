"""With the operator's token one can write what is Tidegate's, and nothing that would give more rights than it has."""

from __future__ import annotations

import copy
import time

import pytest
from tests.api.accounts import token_of
from tests.api.client import open_client
from tests.api.helm import SYSTEM
from tests.api.test_pod_security import gates, router

OURS = {"app.kubernetes.io/part-of": "tidegate"}
IN_FORCE_SECONDS = 20


@pytest.fixture
def thief(api_server, admin):
    """A client with the operator's token."""
    with open_client(api_server, token_of(admin, SYSTEM, "tidegate-operator")) as client:
        yield client


def deployment(name="fraud-1", *, labels=OURS, volumes=(), **pod):
    template = copy.deepcopy(router())
    template["spec"] |= pod
    template["spec"]["volumes"] += volumes
    spec = {"selector": {"matchLabels": template["metadata"]["labels"]}, "template": template}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def job(**pod):
    template = gates("s3://models/fraud/7")
    template["spec"] |= pod
    metadata = {"name": "fraud-g1", "labels": OURS}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}


PLURALS = {"Deployment": "deployments", "Job": "jobs"}


def apply(client, namespace, manifest):
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    path = f"/apis/{manifest['apiVersion']}/namespaces/{namespace.name}/{PLURALS[kind]}/{name}"
    query = {"fieldManager": "thief", "force": "true", "dryRun": "All"}
    headers = {"Content-Type": "application/apply-patch+yaml"}
    return client.patch(path, params=query, json=manifest, headers=headers)


def refusal(client, namespace, manifest):
    """The server's own watch of its policies is a moment behind, so it is asked until it refuses."""
    deadline = time.monotonic() + IN_FORCE_SECONDS
    while (answer := apply(client, namespace, manifest)).is_success:
        assert time.monotonic() < deadline, f"still accepted after {IN_FORCE_SECONDS} s"
        time.sleep(0.1)
    assert answer.status_code == 403
    return answer.json()["message"]


@pytest.mark.parametrize("manifest", [deployment(), job()], ids=["deployment", "job"])
def test_what_the_operator_renders_is_accepted(thief, namespace, manifest):
    answer = apply(thief, namespace, manifest)
    assert answer.is_success, answer.json()["message"]


@pytest.mark.parametrize(
    ("pod", "sentence"),
    [
        ({"serviceAccountName": "admin"}, "has no ServiceAccount"),
        ({"automountServiceAccountToken": True}, "has no ServiceAccount"),
        ({"hostNetwork": True}, "shares nothing with its node"),
        ({"volumes": [{"name": "node", "hostPath": {"path": "/"}}]}, "mounts an emptyDir, a ConfigMap"),
        ({"volumes": [{"name": "token", "projected": {"sources": []}}]}, "mounts an emptyDir, a ConfigMap"),
    ],
)
def test_a_pod_that_could_do_more_is_refused(thief, namespace, pod, sentence):
    assert sentence in refusal(thief, namespace, deployment(**pod))


def test_a_job_may_do_no_more_than_that(thief, namespace):
    root = {"name": "root", "image": "x", "securityContext": {"allowPrivilegeEscalation": True}}
    assert "gains no privilege" in refusal(thief, namespace, job(initContainers=[root]))
    assert "has no ServiceAccount" in refusal(thief, namespace, job(serviceAccountName="admin"))


def test_what_is_not_tidegates_is_left_alone(thief, namespace):
    mine = deployment("coredns", labels={})
    path = f"/apis/apps/v1/namespaces/{namespace.name}/deployments"
    namespace.client.post(path, json=mine).raise_for_status()
    sentence = refusal(thief, namespace, deployment("coredns"))
    assert (
        "deployments coredns is not labelled app.kubernetes.io/part-of=tidegate, and Tidegate changes nothing else; "
        "rename the ModelDeployment, or what is in its way"
    ) in sentence
    assert thief.delete(f"{path}/coredns").status_code == 403


def test_nothing_is_made_that_does_not_bear_the_label(thief, namespace):
    assert "is not labelled" in refusal(thief, namespace, deployment(labels={"app": "x"}))


def test_another_user_is_not_kept_from_anything(admin, namespace):
    assert apply(admin, namespace, deployment(labels={}, hostNetwork=True)).is_success


def test_no_other_config_map_is_in_reach(thief, namespace):
    """By its rights already: the cluster's DNS is configured in one."""
    path = f"/api/v1/namespaces/{namespace.name}/configmaps"
    answer = thief.post(path, json={"metadata": {"name": "coredns", "labels": OURS}})
    assert (answer.status_code, "cannot create resource" in answer.json()["message"]) == (403, True)
