"""The operator does its work with the rights that the chart gives it, needs each of them, and sees nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.api.accounts import Rule, grant, make_account, read_rights, token_of
from tests.api.helm import CHARTS, SYSTEM, helm, render
from tests.api.namespace import Namespace, model_deployment, model_version
from tests.api.operator_process import Operator, run_operator

from tidegate.gate_report import GateResult, Report
from tidegate.gate_run import pack_report
from tidegate.verdict import Verdict
from tidegate_operator.main.intake import SELECTORS

ACCOUNT = "tidegate-operator"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/tidegate-operator"
OTHER_DIGEST = "sha256:" + "cd" * 32
OTHER_LIMITS = {"limits": {"memory": "600Mi"}}
GATES = [{"name": "serves", "serving": {}}]
WORSE = Report("fraud", OTHER_DIGEST, "", (GateResult("serves", Verdict.BAD, "p99 is 90 ms"),))


def start_and_replace_a_version(operator: Operator, namespace: Namespace) -> None:
    """What makes the operator write everything that it ever writes, and delete what it no longer needs."""
    namespace.apply(model_version("fraud-7"))
    namespace.apply(model_version("fraud-8", digest=OTHER_DIGEST))
    namespace.apply(model_deployment(modelVersion="fraud-7"))
    first = operator.until("a candidate", lambda: find_candidate(namespace, "fraud-7"))
    everything = {"tidegate-router", first}
    operator.until("both Deployments", lambda: namespace.names_of("apps/v1/deployments") >= everything)
    namespace.apply(model_deployment(modelVersion="fraud-8"))
    operator.until("the next candidate", lambda: find_candidate(namespace, "fraud-8"))
    operator.until("the former one's end", lambda: first not in namespace.names_of("apps/v1/deployments"))
    operator.until("the former one's end", lambda: first not in namespace.names_of("v1/services"))
    namespace.apply(
        model_deployment(modelVersion="fraud-8", gates=GATES, serving={"resources": OTHER_LIMITS})
    )
    (job,) = operator.until("the Job that holds the gates", lambda: namespace.list("batch/v1/jobs"))
    end_gates(namespace, job, WORSE)
    operator.until("the verdict", lambda: find_phase(namespace) == "Blocked")
    operator.until("the report", lambda: namespace.client.get(find_report(namespace)).is_success)
    operator.until("the Job's end", lambda: not namespace.list("batch/v1/jobs"))
    operator.until("who wants fraud-8", lambda: find_users(namespace, "fraud-8") == [("fraud", "Wanted")])
    operator.until("who wants fraud-7 no more", lambda: find_users(namespace, "fraud-7") == [])


def end_gates(namespace: Namespace, job: dict[str, Any], report: Report) -> None:
    """A pod of the Job, and what a kubelet would say of it: here is none."""
    pods, template = f"/api/v1/namespaces/{namespace.name}/pods", job["spec"]["template"]
    metadata = {"name": "gates", "labels": template["metadata"]["labels"]}
    namespace.client.post(pods, json={"metadata": metadata, "spec": template["spec"]}).raise_for_status()
    end = {"exitCode": 0, "finishedAt": "2026-01-01T00:00:00Z", "message": pack_report(report).decode()}
    status = {"name": "gates", "state": {"terminated": end}, "image": "", "imageID": "", "ready": False}
    body = {"status": {"containerStatuses": [status | {"restartCount": 0}]}}
    headers = {"Content-Type": "application/merge-patch+json"}
    namespace.client.patch(f"{pods}/gates/status", json=body, headers=headers).raise_for_status()


def find_phase(namespace: Namespace) -> str:
    phase: str = namespace.get("ModelDeployment", "fraud")["status"].get("phase", "")
    return phase


def find_users(namespace: Namespace, version: str) -> list[tuple[str, str]] | None:
    """Who uses a version and as what, as its status says; none before it says so."""
    users = namespace.get("ModelVersion", version)["status"].get("usedBy")
    return None if users is None else [(user["name"], user["as"]) for user in users]


def find_report(namespace: Namespace) -> str:
    run = namespace.get("ModelDeployment", "fraud")["status"]["gates"]["run"]
    return f"/apis/tidegate.io/v1alpha1/namespaces/{namespace.name}/gatereports/{run}"


def find_candidate(namespace: Namespace, version: str) -> str:
    found = namespace.get("ModelDeployment", "fraud")["status"].get("candidate") or {}
    return found["revision"] if found.get("modelVersion") == version else ""


def read_used(events: Iterable[dict]) -> Iterator[Rule]:
    """The rights that requests were allowed by. An apply that makes the object needs two."""
    for event in events:
        if where := event.get("objectRef"):
            parts = (where.get("apiGroup"), where["resource"], where.get("subresource"))
            what = "/".join(part for part in parts if part)
            yield what, event["verb"]
            if event["responseStatus"]["code"] == 201:
                yield what, "create"


def without_names(rights: Iterable[Rule]) -> set[Rule]:
    return {(what.split(" [")[0], verb) for what, verb in rights}


def find_patches(api_server, before: int) -> list[str]:
    """What was patched since, as `plural/namespace/name`. ConfigMaps may be: the operator can't read them."""
    events = api_server.read_requests(f"{SYSTEM}:{ACCOUNT}")[before:]
    found = [event["objectRef"] for event in events if event["verb"] == "patch"]
    return [f"{what['resource']}/{what['namespace']}/{what['name']}" for what in found]


def find_refused(events: Iterable[dict]) -> list[str]:
    return [event["requestURI"] for event in events if event["responseStatus"]["code"] in (401, 403)]


def test_the_operator_uses_every_right_that_it_has_and_asks_for_no_other(
    api_server, namespace, basics, tmp_path
):
    token = token_of(namespace.client, SYSTEM, ACCOUNT)
    namespace.client.delete(LEASE)  # of an operator that ran before; who finds one makes none
    before = len(api_server.read_requests(f"{SYSTEM}:{ACCOUNT}"))
    with run_operator(api_server, tmp_path, token=token, namespace=SYSTEM) as operator:
        start_and_replace_a_version(operator, namespace)
    asked = api_server.read_requests(f"{SYSTEM}:{ACCOUNT}")[before:]
    granted = without_names(read_rights(api_server, token, SYSTEM) - basics)
    assert find_refused(asked) == []
    assert granted - set(read_used(asked)) == set()


def test_a_restart_writes_nothing_that_is_so_already(api_server, namespace, tmp_path):
    """Compared with what the API server itself adds to each kind of object, in lists as in watches."""
    token = token_of(namespace.client, SYSTEM, ACCOUNT)
    with run_operator(api_server, tmp_path, token=token, namespace=SYSTEM) as operator:
        start_and_replace_a_version(operator, namespace)
    before = len(api_server.read_requests(f"{SYSTEM}:{ACCOUNT}"))
    with run_operator(api_server, tmp_path, token=token, namespace=SYSTEM) as operator:
        operator.until(
            "its look at the router", lambda: "tidegate-routes" in str(find_patches(api_server, before))
        )
        namespace.apply(model_deployment("later", modelVersion="missing"))
        operator.until(
            "a later look", lambda: namespace.get("ModelDeployment", "later")["status"].get("phase")
        )
    of_the_first = [what for what in find_patches(api_server, before) if f"/{namespace.name}/fraud" in what]
    assert of_the_first == []


def find_lists(api_server, before: int) -> list[str]:
    """What was listed since."""
    events = api_server.read_requests(f"{SYSTEM}:{ACCOUNT}")[before:]
    return [event["requestURI"] for event in events if event["verb"] == "list"]


def test_no_list_is_asked_for_in_one_piece(api_server, namespace, tmp_path):
    """Neither before the first look nor before the watches: of a thousand models each would be large."""
    token = token_of(namespace.client, SYSTEM, ACCOUNT)
    before = len(api_server.read_requests(f"{SYSTEM}:{ACCOUNT}"))
    with run_operator(api_server, tmp_path, token=token, namespace=SYSTEM) as operator:
        operator.until(
            "both lists of every kind",
            lambda: len(find_lists(api_server, before)) >= 2 * len(SELECTORS),
        )
    assert [asked for asked in find_lists(api_server, before) if "limit=" not in asked] == []


@dataclass(frozen=True, slots=True)
class Team:
    """A team that runs an operator of its own, and a namespace that is none of its business."""

    own: Namespace
    red: Namespace
    elsewhere: Namespace
    token: str
    """The operator's."""


@pytest.fixture
def team(api_server, admin) -> Team:
    """The chart as installed by someone who may do everything in two namespaces, and nothing in the cluster."""
    own, red, elsewhere = "team-own", "team-red", "team-elsewhere"
    for name in (own, red, elsewhere):
        admin.post("/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
    make_account(admin, own, "installer")
    for name in (own, red):
        grant(admin, to=f"{own}/installer", role="cluster-admin", within=name)
    values = f"--set=watchNamespaces={{{red}}},admissionPolicies=false"
    installer = token_of(admin, own, "installer")
    helm(api_server, "install", "tidegate", str(CHARTS / "tidegate"), values, namespace=own, token=installer)
    places = (Namespace(name, admin) for name in (own, red, elsewhere))
    return Team(*places, token=token_of(admin, own, ACCOUNT))


def test_an_operator_of_named_namespaces_works_there_and_touches_nothing_elsewhere(
    api_server, team, basics, tmp_path
):
    own, red = team.own.name, team.red.name
    team.elsewhere.apply(model_version("fraud-7"))
    team.elsewhere.apply(model_deployment())
    with run_operator(api_server, tmp_path, token=team.token, namespace=own, watched=[red]) as operator:
        start_and_replace_a_version(operator, team.red)
    asked = api_server.read_requests(f"{own}:{ACCOUNT}")
    assert find_refused(asked) == []
    assert {event["objectRef"].get("namespace") for event in asked if "objectRef" in event} == {own, red}
    assert team.elsewhere.get("ModelDeployment", "fraud")["status"] == {"observedGeneration": -1}
    assert read_rights(api_server, team.token, team.elsewhere.name) == basics


def test_named_namespaces_need_nothing_of_the_cluster():
    kinds = {document["kind"] for document in render("--set=watchNamespaces={red},admissionPolicies=false")}
    assert kinds == {"ServiceAccount", "Role", "RoleBinding", "Service", "Deployment", "NetworkPolicy"}
