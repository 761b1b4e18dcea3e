"""Status belongs to the operator, the spec to the user; kubectl shows both."""

import pytest
from tests.api.namespace import DIGEST, model_deployment, model_version

from tidegate_operator.api.status import ModelDeploymentStatus
from tidegate_operator.api.version_status import ModelVersionStatus

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
TIME = "2026-01-31T12:00:00Z"
READY = {
    "type": "Ready",
    "status": "False",
    "reason": "RolledBack",
    "message": "fraud-8 was taken back",
    "lastTransitionTime": TIME,
}
COUNTS = {"candidate": {"events": 6, "exposures": 61}, "stable": {"events": 2, "exposures": 1190}}
STATUS = {
    "observedGeneration": 1,
    "phase": "Canary",
    "version": "fraud-7",
    "stable": {"revision": "fraud-1a", "modelVersion": "fraud-7", "digest": "sha256:1", "since": TIME},
    "candidate": {"revision": "fraud-2b", "modelVersion": "fraud-8", "digest": "sha256:2", "since": TIME},
    "traffic": {
        "desired": {"candidateWeight": 5, "mirror": 0},
        "observed": {"candidatePercent": "5.2%", "requests": 1251},
    },
    "rollout": {
        "startedAt": TIME,
        "step": 1,
        "steps": [{"candidateRequests": 61, "checks": [{"check": "ErrorRate", **COUNTS}]}],
        "checks": [{"name": "ErrorRate", "verdict": "NotEnough", "message": "9.8 % against 0.2 %"}],
    },
    "rejected": [
        {
            "revision": "fraud-0c",
            "modelVersion": "fraud-6",
            "digest": "sha256:0",
            "reason": "ErrorRate",
            "message": "m",
            "at": TIME,
        }
    ],
    "conditions": [READY],
    "replicas": 2,
    "selector": "tidegate.io/revision=fraud-1a",
}


def with_status(status):
    return {key: value for key, value in model_deployment().items() if key != "spec"} | {"status": status}


@pytest.fixture
def fraud(namespace):
    namespace.apply(model_deployment())
    return namespace


def write_status(namespace, status=STATUS):
    return namespace.apply(with_status(status), manager="operator", sub="/status")


def test_a_whole_status_comes_back_as_it_was_written(fraud):
    assert write_status(fraud)["status"] == STATUS


def test_every_field_of_the_models_has_its_place_in_the_schema(fraud):
    written = ModelDeploymentStatus.model_validate(STATUS).model_dump(
        by_alias=True, exclude_none=True, mode="json"
    )
    assert write_status(fraud, written)["status"] == written


def test_writing_the_status_changes_nothing_a_user_wrote(fraud):
    before = fraud.get("ModelDeployment", "fraud")
    after = write_status(fraud)
    assert (after["spec"], after["metadata"]["generation"]) == (
        before["spec"],
        before["metadata"]["generation"],
    )


def test_a_user_who_applies_a_status_changes_nothing(fraud):
    write_status(fraud)
    fraud.apply(model_deployment() | {"status": {"phase": "Serving"}})
    assert fraud.get("ModelDeployment", "fraud")["status"]["phase"] == "Canary"


def test_conditions_of_two_writers_stand_side_by_side(fraud):
    write_status(fraud, {"conditions": [READY]})
    other = READY | {"type": "Approved", "status": "True"}
    status = fraud.apply(with_status({"conditions": [other]}), manager="somebody", sub="/status")["status"]
    assert [condition["type"] for condition in status["conditions"]] == ["Ready", "Approved"]


def test_what_is_no_longer_applied_is_gone(fraud):
    write_status(fraud)
    shorter = {key: value for key, value in STATUS.items() if key not in {"candidate", "rollout"}}
    assert write_status(fraud, shorter)["status"] == shorter


def test_the_scale_subresource_reads_and_writes_the_replicas(fraud):
    write_status(fraud)
    path = fraud.path("ModelDeployment", "fraud") + "/scale"
    scale = fraud.client.get(path).json()
    assert (scale["spec"]["replicas"], scale["status"]) == (
        1,
        {"replicas": 2, "selector": STATUS["selector"]},
    )
    fraud.client.put(path, json=scale | {"spec": {"replicas": 3}}).raise_for_status()
    assert fraud.get("ModelDeployment", "fraud")["spec"]["serving"]["replicas"] == 3


def test_kubectl_get_shows_where_a_rollout_stands(fraud):
    write_status(fraud)
    table = fraud.get("ModelDeployment", "", **TABLE)
    columns = {
        c["name"]: cell for c, cell in zip(table["columnDefinitions"], table["rows"][0]["cells"], strict=True)
    }
    del columns["Age"]
    assert columns == {
        "Name": "fraud",
        "Version": "fraud-7",
        "Phase": "Canary",
        "Stable": "fraud-7",
        "Candidate": "fraud-8",
        "Weight": 5,
        "Ready": "False",
        "Observed": "5.2%",
        "Message": "fraud-8 was taken back",
    }


TOLD = {
    "format": "tidegate.io/bundle/v1alpha1",
    "size": 5_000_000_000,
    "signature": {
        "task": "binary",
        "inputs": [
            {
                "name": "country",
                "kind": "category",
                "datatype": "BYTES",
                "shape": [-1],
                "nullable": False,
                "categories": ["DE", "FR"],
                "categoryCount": 2,
            }
        ],
        "inputCount": 1,
        "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]}],
        "outputCount": 1,
        "classes": ["no", "yes"],
        "classCount": 2,
    },
}
SAID = {
    "observedGeneration": 1,
    "usedBy": [{"name": "fraud", "as": "Serving", "revision": "fraud-1a2b3c4d"}],
    "users": 1,
    "conditions": [READY | {"type": "Verified", "status": "True", "reason": "Loaded"}],
}


@pytest.fixture
def version(namespace):
    namespace.apply(model_version())
    return namespace


def write_version(namespace, status, manager="operator"):
    manifest = {key: value for key, value in model_version().items() if key != "spec"}
    return namespace.apply(manifest | {"status": status}, manager=manager, sub="/status")["status"]


def test_what_is_told_of_a_bundle_stays_though_the_other_manager_writes_no_word_of_it(version):
    write_version(version, TOLD, manager="operator-bundle")
    assert write_version(version, SAID) == SAID | TOLD
    unused = {"observedGeneration": 1, "usedBy": [], "users": 0}
    assert write_version(version, unused) == unused | TOLD


def test_every_field_of_a_versions_status_has_its_place_in_the_schema(version):
    written = ModelVersionStatus.model_validate(SAID | TOLD).model_dump(
        by_alias=True, exclude_none=True, mode="json"
    )
    assert write_version(version, written) == written


def test_before_the_first_look_a_version_says_so(version):
    assert version.get("ModelVersion", "fraud-7")["status"] == {"observedGeneration": -1}


def test_kubectl_get_shows_whether_a_version_is_verified_and_used(version):
    write_version(version, SAID)
    table = version.get("ModelVersion", "", **TABLE)
    columns = {
        c["name"]: cell for c, cell in zip(table["columnDefinitions"], table["rows"][0]["cells"], strict=True)
    }
    del columns["Age"]
    assert columns == {
        "Name": "fraud-7",
        "Model": "fraud",
        "Digest": DIGEST,
        "Verified": "True",
        "Used by": 1,
        "Signed": None,
        "Source": "s3://models/fraud/7",
    }


def test_the_short_names_and_the_category_are_known(admin):
    kinds = {kind["name"]: kind for kind in admin.get("/apis/tidegate.io/v1alpha1").json()["resources"]}
    assert kinds["modeldeployments"]["shortNames"] == ["md"]
    assert kinds["modelversions"]["shortNames"] == ["mv"]
    assert kinds["modelversions"]["categories"] == kinds["modeldeployments"]["categories"] == ["tidegate"]
