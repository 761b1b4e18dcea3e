"""The Job that holds gates: the very pod that serves the candidate, and beside it who asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.plan.world import SETTINGS

from tidegate.gate_run import Variable
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.plan.facts import Revision
from tidegate_operator.plan.gate_job import Held, build_gate_job
from tidegate_operator.plan.identity import GATES_LABEL, REVISION_LABEL
from tidegate_operator.plan.render import build_revision

ROWS = {"uri": "s3://lake/rows.parquet", "label": "late", "secretRef": {"name": "lake"}}
GATES = [
    {"name": "serves", "serving": {"duration": "20s"}},
    {"name": "predicts", "performance": {"data": ROWS, "metrics": [{"name": "auc"}]}},
    {"name": "rows", "dataQuality": {"data": {"uri": "pvc://rows/a/b.csv", "label": "late"}}},
]
LIMITS = {"requests": {"cpu": "1500m"}, "limits": {"cpu": "1500m", "memory": "300Mi"}}


def deployed(**spec: Any) -> ModelDeployment:
    spec = {"modelVersion": "fraud-2", "gates": GATES, "serving": {"resources": LIMITS}} | spec
    return ModelDeployment.model_validate(
        {"metadata": {"name": "fraud", "namespace": "bank", "uid": "u"}, "spec": spec}
    )


def revision(number: int) -> Revision:
    source = {"uri": f"s3://models/fraud/{number}", "secretRef": {"name": f"keys-{number}"}}
    spec = {"model": "fraud", "digest": "sha256:" + str(number) * 64, "source": source}
    version = ModelVersion.model_validate({"metadata": {"name": f"fraud-{number}"}, "spec": spec})
    return build_revision(deployed(), version, number=number, settings=SETTINGS)


@pytest.fixture
def job() -> dict[str, Any]:
    return dict(build_gate_job(deployed(), Held("fraud-g1", revision(2), revision(1))))


@pytest.fixture
def pod(job: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container["env"]}


def test_the_predictor_is_the_one_that_will_serve(pod: dict[str, Any]):
    (served,) = revision(2).template["spec"]["template"]["spec"]["containers"]
    (beside,) = pod["initContainers"]
    assert {key: value for key, value in beside.items() if key != "restartPolicy"} == served
    assert beside["resources"]["limits"] == {"cpu": "1500m", "memory": "300Mi"}


def test_no_service_finds_the_pod(job: dict[str, Any]):
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert labels[GATES_LABEL] == "fraud-g1"
    assert REVISION_LABEL not in labels


def test_the_gates_read_what_they_need_and_nothing_can_ask_the_api_server(pod: dict[str, Any]):
    (gates,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in gates["volumeMounts"]}
    assert pod["automountServiceAccountToken"] is False
    assert mounts == {
        "bundle": "/var/lib/tidegate/bundle",
        "scratch": "/tmp",
        "stable-credentials": "/var/run/tidegate/stable/credentials",
        "data-1-credentials": "/var/run/tidegate/data/predicts/credentials",
        "data-2-claim": "/var/run/tidegate/data/rows/claim",
    }
    assert all(mount.get("readOnly") for mount in gates["volumeMounts"] if mount["name"] != "scratch")
    found = environment(gates)
    assert found[Variable.STABLE_SOURCE] == "s3://models/fraud/1"
    assert [gate["name"] for gate in json.loads(found[Variable.GATES])] == ["serves", "predicts", "rows"]


def test_a_first_version_is_compared_with_nobody():
    pod = build_gate_job(deployed(), Held("fraud-g1", revision(2), None))["spec"]["template"]["spec"]
    assert Variable.STABLE_SOURCE not in environment(pod["containers"][0])


def test_it_has_a_deadline_that_grows_with_what_is_asked(pod: dict[str, Any]):
    assert pod["activeDeadlineSeconds"] == 60 + 20 + 900


OWN = {
    "name": "fair",
    "job": {"image": "fair:3", "command": ["fair", "--strict"], "secretRef": {"name": "fair"}},
}


def test_a_program_of_the_users_runs_after_ours_and_is_as_isolated():
    spec = build_gate_job(deployed(gates=[*GATES, OWN]), Held("fraud-g1", revision(2), None))
    pod = spec["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["initContainers"]] == ["predictor", "gates"]
    (own,) = pod["containers"]
    assert (own["image"], own["command"]) == ("fair:3", ["fair", "--strict"])
    assert own["securityContext"] == pod["initContainers"][0]["securityContext"]
    assert environment(own) == {
        "TIDEGATE_GATE": "fair",
        "TIDEGATE_MODEL": "fraud",
        "TIDEGATE_PREDICTOR": "http://127.0.0.1:8080",
        "TIDEGATE_BUNDLE": "/var/lib/tidegate/bundle",
        "TIDEGATE_CREDENTIALS": "/var/run/tidegate/data/fair/credentials",
    }
    assert "fair" not in environment(pod["initContainers"][1])[Variable.GATES]


def test_where_there_are_only_programs_of_the_users_no_gate_of_ours_runs():
    pod = build_gate_job(deployed(gates=[OWN]), Held("fraud-g1", revision(2), None))["spec"]["template"][
        "spec"
    ]
    assert [container["name"] for container in pod["initContainers"]] == ["predictor"]


def test_the_same_revision_is_not_changed_by_it():
    before = json.dumps(revision(2).template)
    held = revision(2)
    build_gate_job(deployed(), Held("fraud-g1", held, held))
    assert json.dumps(held.template) == before
