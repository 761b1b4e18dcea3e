"""The store: the newest body of each object, whatever the order of arrival."""

from __future__ import annotations

from typing import Any

from tidegate_operator.observe.store import Kind, Store


def body(version: int, *, name: str = "fraud", uid: str = "u1", **spec: Any) -> dict[str, Any]:
    """An object at a resource version."""
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": uid,
        "resourceVersion": str(version),
        "managedFields": [1],
    }
    return {"metadata": metadata, "spec": spec}


def test_an_older_body_does_not_replace_a_newer_one() -> None:
    store = Store()
    store.put(Kind.POD, body(5, at=5))
    store.put(Kind.POD, body(4, at=4))
    found = store.find(Kind.POD, "shop", "fraud")
    assert found is not None
    assert found["spec"] == {"at": 5}
    assert "managedFields" not in found["metadata"]


def test_the_late_deletion_of_a_namesake_leaves_the_new_object() -> None:
    store = Store()
    store.put(Kind.POD, body(5, uid="new"))
    store.drop(Kind.POD, body(6, uid="old"))
    assert store.find(Kind.POD, "shop", "fraud") is not None


def test_the_list_of_a_namespace_says_nothing_about_another() -> None:
    store = Store()
    store.put(Kind.POD, body(3))
    store.replace(Kind.POD, [], namespace="bank", listed_version=7)
    assert store.find(Kind.POD, "shop", "fraud") is not None
    store.replace(Kind.POD, [], namespace="shop", listed_version=7)
    assert store.find(Kind.POD, "shop", "fraud") is None


def test_a_list_removes_what_a_watch_missed_but_not_what_came_after_it() -> None:
    store = Store()
    store.put(Kind.POD, body(3, name="gone", uid="g"))
    store.put(Kind.POD, body(9, name="newer", uid="n"))
    store.replace(Kind.POD, [body(4, name="kept", uid="k")], listed_version=7)
    assert [found["metadata"]["name"] for found in store.select(Kind.POD, "shop")] == ["kept", "newer"]
