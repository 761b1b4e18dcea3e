"""The store: the newest body of each object, whatever the order of arrival."""

from __future__ import annotations

from typing import Any

from tidegate_operator.observe.store import Kind, Store, name_of
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
