"""Every pod that we make is taken by a namespace that enforces Kubernetes' strictest standard, `restricted`."""

from __future__ import annotations

import copy
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.api.helm import render
from tests.api.namespace import model_deployment, model_version

from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.plan.facts import Revision
from tidegate_operator.plan.gate_job import Held, build_gate_job
from tidegate_operator.plan.render import RenderSettings, build_revision
from tidegate_operator.routing.router import Owner, RouterSettings, build_router

STORE = Path(__file__).parents[2] / "demo/manifests/store.yaml"
Pod = dict[str, Any]


@pytest.fixture(scope="module")
def pods(admin: httpx.Client):
    """The path of the pods of a namespace that takes no others."""
    name = f"restricted-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    admin.post("/api/v1/namespaces", json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
    return f"/api/v1/namespaces/{name}/pods"


ROWS = {"uri": "pvc://rows/held-out.parquet", "label": "late", "secretRef": {"name": "lake"}}
GATES = [
    {"name": "predicts", "performance": {"data": ROWS, "metrics": [{"name": "auc"}]}},
    {"name": "serves", "serving": {}},
]


def predictor(uri: str) -> Pod:
    _, revision = revision_of(uri)
    return template_of(revision.template)


def gates(uri: str) -> Pod:
    deployment, revision = revision_of(uri)
    return template_of(build_gate_job(deployment, Held("fraud-g1", revision, stable=revision)))


def revision_of(uri: str) -> tuple[ModelDeployment, Revision]:
    metadata = {"namespace": "team", "uid": "u"}
    source = {"uri": uri, "secretRef": {"name": "models-store"}}
    manifests = model_deployment(gates=GATES), model_version(source=source)
    for manifest in manifests:
        manifest["metadata"] |= metadata
    deployment, version = (
        ModelDeployment.model_validate(manifests[0]),
        ModelVersion.model_validate(manifests[1]),
    )
    return deployment, build_revision(deployment, version, number=1, settings=RenderSettings("predictor"))


def router() -> Pod:
    made = build_router("team", [Owner("fraud", "u")], RouterSettings("router", "xds", 18000))
    (deployment,) = (manifest for manifest in made if manifest["kind"] == "Deployment")
    return template_of(deployment)


def operator() -> Pod:
    (deployment,) = (document for document in render() if document["kind"] == "Deployment")
    return template_of(deployment)


def store() -> Pod:
    return template_of(next(yaml.safe_load_all(STORE.read_text())))


def template_of(deployment) -> Pod:
    return copy.deepcopy(deployment["spec"]["template"])


PODS = {
    "operator": operator,
    "predictor": lambda: predictor("s3://models/fraud/7"),
    "predictor-with-a-claim": lambda: predictor("pvc://models/fraud/7"),
    "gates": lambda: gates("s3://models/fraud/7"),
    "gates-with-a-claim": lambda: gates("pvc://models/fraud/7"),
    "router": router,
    "store": store,
}


def create(client: httpx.Client, path: str, pod: Pod) -> httpx.Response:
    """As the ReplicaSet controller would, but nothing is stored."""
    body = {"apiVersion": "v1", "kind": "Pod"} | pod | {"metadata": pod["metadata"] | {"name": "x"}}
    return client.post(path, json=body, params={"dryRun": "All", "fieldValidation": "Strict"})


@pytest.mark.parametrize("name", PODS)
def test_a_pod_of_ours_is_taken_without_a_warning(admin, pods, name):
    answer = create(admin, pods, PODS[name]())
    assert answer.status_code == 201, answer.json()["message"]
    assert "Warning" not in answer.headers


@pytest.mark.parametrize("name", PODS)
def test_the_same_pod_on_the_network_of_its_node_is_refused(admin, pods, name):
    """So the answer above is the standard's, and not that of a server that takes anything."""
    pod = PODS[name]()
    pod["spec"]["hostNetwork"] = True
    answer = create(admin, pods, pod)
    assert answer.status_code == 403
    assert (
        'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)'
        in answer.json()["message"]
    )


@pytest.mark.parametrize("name", PODS)
def test_no_pod_but_the_operators_reaches_the_api_server(name):
    assert PODS[name]()["spec"].get("automountServiceAccountToken", True) is (name == "operator")
