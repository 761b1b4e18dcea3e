"""A ModelVersion that a ModelDeployment uses, or can go back to, can't be deleted."""

import time

import pytest
from tests.api.namespace import model_deployment, model_version

SENTENCE = (
    "ModelVersion fraud-7 is used by ModelDeployment fraud; point its spec.modelVersion to another version and wait "
    "for the rollout, or delete it, first"
)


HISTORY = (
    "ModelVersion fraud-6 is kept as history by ModelDeployment fraud, which can go back to it at once; if it never "
    "should, delete that ModelDeployment, or its record of it, ControllerRevision fraud-1a2b3c4d, first"
)


def revision_of(version):
    """A revision as a status names it."""
    since = "2026-01-31T12:00:00Z"
    return {"revision": "fraud-1a2b3c4d", "modelVersion": version, "digest": "d", "since": since}


def use(namespace, version, *users):
    """Write into the status of a ModelVersion who uses it, as the operator does."""
    manifest = {"apiVersion": "tidegate.io/v1alpha1", "kind": "ModelVersion", "metadata": {"name": version}}
    status = {"usedBy": list(users), "users": len(users)}
    namespace.apply(manifest | {"status": status}, manager="operator", sub="/status")


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


def give_place(namespace, **roles):
    """Write into the status of fraud which revision is what."""
    manifest = {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "fraud"},
    }
    namespace.apply(manifest | {"status": roles}, manager="operator", sub="/status")


@pytest.fixture
def served(namespace):
    namespace.apply(model_version("fraud-7"))
    namespace.apply(model_version("fraud-8"))
    namespace.apply(model_deployment(modelVersion="fraud-7"))
    return namespace


def test_the_version_that_a_spec_names_is_kept_with_a_reason(served):
    assert SENTENCE in wait_until_refused(served, "fraud-7")


def test_the_version_in_service_is_kept_while_another_one_is_wanted(served):
    served.apply(model_deployment(modelVersion="fraud-8"))
    give_place(served, stable=revision_of("fraud-7"))
    assert "is used by ModelDeployment fraud" in wait_until_refused(served, "fraud-8")
    assert SENTENCE in wait_until_refused(served, "fraud-7")


def test_a_version_that_served_is_kept_though_another_one_does_since(served):
    served.apply(model_version("fraud-6"))
    use(served, "fraud-6", {"name": "fraud", "as": "History", "revision": "fraud-1a2b3c4d"})
    wait_until_refused(served, "fraud-7")
    assert HISTORY in wait_until_refused(served, "fraud-6")


def test_so_is_one_whose_pods_are_kept_warm_though_its_status_does_not_say_so_yet(served):
    served.apply(model_version("fraud-6"))
    give_place(served, stable=revision_of("fraud-7"), warm=revision_of("fraud-6"))
    assert HISTORY in wait_until_refused(served, "fraud-6")


def test_one_that_serves_is_refused_in_those_words_whatever_it_was_before(served):
    use(served, "fraud-7", {"name": "fraud", "as": "History", "revision": "fraud-1a2b3c4d"})
    assert SENTENCE in wait_until_refused(served, "fraud-7")


@pytest.mark.parametrize(
    "user",
    [
        {
            "name": "gone",
            "as": "History",
            "revision": "gone-1a2b3c4d",
        },  # its ModelDeployment was deleted since
        {"name": "fraud", "as": "Wanted"},  # it was, a moment ago
    ],
    ids=["gone", "wanted no more"],
)
def test_a_status_that_lags_behind_keeps_nothing(served, user):
    served.apply(model_version("fraud-6"))
    use(served, "fraud-6", user)
    wait_until_refused(served, "fraud-7")
    assert delete(served, "fraud-6").is_success


def test_with_its_last_deployment_a_version_is_free(served):
    use(served, "fraud-7", {"name": "fraud", "as": "Serving", "revision": "fraud-1a2b3c4d"})
    wait_until_refused(served, "fraud-7")
    served.client.delete(served.path("ModelDeployment", "fraud")).raise_for_status()
    deadline = time.monotonic() + 20
    while not delete(served, "fraud-7").is_success:
        assert time.monotonic() < deadline, "fraud-7 could not be deleted after 20 s"
        time.sleep(0.1)


def test_a_version_that_nobody_uses_goes(served):
    wait_until_refused(served, "fraud-7")
    assert delete(served, "fraud-8").is_success


def test_a_deployment_of_another_namespace_keeps_nothing(served, admin):
    wait_until_refused(served, "fraud-7")
    admin.post("/api/v1/namespaces", json={"metadata": {"name": f"{served.name}-b"}}).raise_for_status()
    other = type(served)(f"{served.name}-b", admin)
    other.apply(model_version("fraud-7"))
    assert delete(other, "fraud-7").is_success
