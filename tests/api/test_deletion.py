"""A ModelVersion that a ModelDeployment uses can't be deleted."""

import time

import pytest
from tests.api.namespace import model_deployment, model_version

SENTENCE = (
    "ModelVersion fraud-7 is used by ModelDeployment fraud; point its spec.modelVersion to another version and wait "
    "for the rollout, or delete it, first"
)


def delete(namespace, name):
    return namespace.client.delete(namespace.path("ModelVersion", name))


def wait_until_refused(namespace, name):
    """The server's own watch of ModelDeployments is a moment behind, so a dry run is asked until it is refused."""
    deadline = time.monotonic() + 20
    while True:
        answer = namespace.client.delete(namespace.path("ModelVersion", name), params={"dryRun": "All"})
        if not answer.is_success:
            return answer.json()["message"]
        assert time.monotonic() < deadline, f"{name} could still be deleted after 20 s"
        time.sleep(0.1)


@pytest.fixture
def served(namespace):
    namespace.apply(model_version("fraud-7"))
    namespace.apply(model_version("fraud-8"))
    namespace.apply(model_deployment(modelVersion="fraud-7"))
    return namespace


def test_the_version_that_a_spec_names_is_kept_with_a_reason(served):
    assert SENTENCE in wait_until_refused(served, "fraud-7")


def test_the_version_in_service_is_kept_while_another_one_is_wanted(served):
    revision = {"revision": "r", "modelVersion": "fraud-7", "digest": "d", "since": "2026-01-31T12:00:00Z"}
    status = {"status": {"stable": revision}, "apiVersion": "tidegate.io/v1alpha1", "kind": "ModelDeployment"}
    served.apply(model_deployment(modelVersion="fraud-8"))
    served.apply(status | {"metadata": {"name": "fraud"}}, manager="operator", sub="/status")
    assert "is used by ModelDeployment fraud" in wait_until_refused(served, "fraud-8")
    assert SENTENCE in wait_until_refused(served, "fraud-7")


def test_a_version_that_nobody_uses_goes(served):
    wait_until_refused(served, "fraud-7")
    assert delete(served, "fraud-8").is_success


def test_a_deployment_of_another_namespace_keeps_nothing(served, admin):
    wait_until_refused(served, "fraud-7")
    admin.post("/api/v1/namespaces", json={"metadata": {"name": f"{served.name}-b"}}).raise_for_status()
    other = type(served)(f"{served.name}-b", admin)
    other.apply(model_version("fraud-7"))
    assert delete(other, "fraud-7").is_success
