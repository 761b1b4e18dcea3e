"""The store: the newest body of each object, whatever the order of arrival."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate_operator.observe.store import Kind, Store, find_versions_named, name_of
from tidegate_operator.plan.identity import DEPLOYMENT_LABEL


def body(
    version: int, *, name: str = "fraud", uid: str = "u1", labels: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    """An object at a resource version."""
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": uid,
        "resourceVersion": str(version),
        "managedFields": [1],
        "labels": labels or {},
    }
    return {"metadata": metadata, "spec": spec}


def test_an_older_body_does_not_replace_a_newer_one() -> None:
    store = Store()
    store.put(Kind.SERVICE, body(5, at=5))
    store.put(Kind.SERVICE, body(4, at=4))
    found = store.find(Kind.SERVICE, "shop", "fraud")
    assert found is not None
    assert found["spec"] == {"at": 5}


def test_what_nobody_asks_for_is_not_kept() -> None:
    store = Store()
    store.put(Kind.POD, body(5, at=5) | {"status": {"phase": "Running", "qosClass": "Burstable"}})
    found = store.find(Kind.POD, "shop", "fraud")
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert "spec" not in found
    assert found["status"] == {"phase": "Running"}


def test_the_objects_of_one_model_are_found_among_those_of_all() -> None:
    store = Store()
    for version, (name, owner) in enumerate([("a", "fraud"), ("b", "churn"), ("c", "fraud"), ("a", "churn")]):
        store.put(Kind.POD, body(version, name=name, labels={DEPLOYMENT_LABEL: owner}))
    store.drop(Kind.POD, body(9, name="b"))
    owned = {
        owner: [name_of(pod) for pod in store.select(Kind.POD, "shop", {DEPLOYMENT_LABEL: owner})]
        for owner in ("fraud", "churn", "nobody")
    }
    assert owned == {"fraud": ["c"], "churn": ["a"], "nobody": []}


def test_the_late_deletion_of_a_namesake_leaves_the_new_object() -> None:
    store = Store()
    store.put(Kind.POD, body(5, uid="new"))
    store.drop(Kind.POD, body(6, uid="old"))
    assert store.find(Kind.POD, "shop", "fraud") is not None


def test_the_list_of_a_namespace_says_nothing_about_another() -> None:
    store = Store()
    store.put(Kind.POD, body(3))
    store.retain(Kind.POD, set(), namespace="bank", listed_version=7)
    assert store.find(Kind.POD, "shop", "fraud") is not None
    store.retain(Kind.POD, set(), namespace="shop", listed_version=7)
    assert store.find(Kind.POD, "shop", "fraud") is None


def test_a_list_removes_what_a_watch_missed_but_not_what_came_after_it() -> None:
    store = Store()
    store.put(Kind.POD, body(3, name="gone", uid="g"))
    store.put(Kind.POD, body(9, name="newer", uid="n"))
    store.put(Kind.POD, body(4, name="kept", uid="k"))
    gone = store.retain(Kind.POD, {"k"}, listed_version=7)
    assert [name_of(found) for found in gone] == ["gone"]
    assert [found["metadata"]["name"] for found in store.select(Kind.POD, "shop")] == ["kept", "newer"]


def naming(version: int, *, name: str = "fraud", wants: str = "fraud-1", **status: Any) -> dict[str, Any]:
    """A ModelDeployment that names ModelVersions."""
    return body(version, name=name, modelVersion=wants) | {"status": status}


def find_naming(store: Store, version: str) -> list[str]:
    return [name_of(found) for found in store.select_naming(Kind.MODEL_DEPLOYMENT, "shop", version)]


def test_who_names_a_version_is_found_as_long_as_it_does() -> None:
    store = Store()
    store.put(Kind.MODEL_DEPLOYMENT, naming(1, stable={"modelVersion": "fraud-0"}))
    store.put(Kind.MODEL_DEPLOYMENT, naming(2, name="shadow", wants="fraud-0"))
    assert [find_naming(store, name) for name in ("fraud-0", "fraud-1")] == [["fraud", "shadow"], ["fraud"]]
    store.put(Kind.MODEL_DEPLOYMENT, naming(3, wants="fraud-2"))
    assert [find_naming(store, name) for name in ("fraud-0", "fraud-1")] == [["shadow"], []]
    store.drop(Kind.MODEL_DEPLOYMENT, naming(4, name="shadow"))
    assert find_naming(store, "fraud-0") == []


def test_a_version_is_named_by_every_place_and_by_what_was_taken_back() -> None:
    roles = ("stable", "candidate", "warm", "gates")
    status = {role: {"modelVersion": role} for role in roles} | {"rejected": [{"modelVersion": "back"}]}
    found = find_versions_named(Kind.MODEL_DEPLOYMENT, naming(1, **status))
    assert found == {"fraud-1", "back", *roles}


@pytest.mark.parametrize("data", [None, "text", [], {}, {"modelVersion": None}])
def test_a_record_that_somebody_made_up_names_nothing(data: Any) -> None:
    store = Store()
    store.put(Kind.CONTROLLER_REVISION, body(1) | {"data": data})
    assert find_versions_named(Kind.CONTROLLER_REVISION, body(1) | {"data": data}) == frozenset()


def version(number: int, uid: str = "u1", **status: Any) -> dict[str, Any]:
    """A ModelVersion that has provenance."""
    return body(number, uid=uid, model="fraud", provenance={"packages": [1]}) | {"status": status}


def test_of_a_version_the_long_lists_are_not_kept() -> None:
    store = Store()
    signature = {"task": "binary", "inputs": [{"name": "amount"}], "inputCount": 1}
    store.put(Kind.MODEL_VERSION, version(1, users=3, signature=signature))
    found = store.find(Kind.MODEL_VERSION, "shop", "fraud")
    assert found is not None
    assert found["spec"] == {"model": "fraud"}
    assert found["status"] == {"users": 3, "signature": {"task": "binary", "inputCount": 1}}


def test_our_own_write_is_taken_in_unless_its_object_is_gone_or_another_one() -> None:
    store = Store()
    store.refresh(Kind.MODEL_VERSION, version(1))
    assert store.names_of(Kind.MODEL_VERSION, "shop") == []
    store.put(Kind.MODEL_VERSION, version(2, users=1))
    store.refresh(Kind.MODEL_VERSION, version(3, users=2))
    store.refresh(Kind.MODEL_VERSION, version(4, uid="u0", users=9))
    found = store.find(Kind.MODEL_VERSION, "shop", "fraud")
    assert found is not None
    assert found["status"] == {"users": 2}
