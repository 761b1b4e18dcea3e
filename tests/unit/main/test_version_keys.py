"""Keys of versions: a change queues those that are something else since, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.observe.version_world import Shop, ended, role

from tidegate_operator.main.version_keys import find_version_keys
from tidegate_operator.observe.store import Kind
from tidegate_operator.plan.identity import PROMOTED_ANNOTATION


class World(Shop):
    """The shop, in which fraud serves v1 and had v0 before."""

    def __init__(self) -> None:
        super().__init__()
        self.put_record("fraud-r0", "v0", promoted=True)
        self.put_record("fraud-r1", "v1", promoted=True)
        self.put_deployment(wants="v1", stable=role("fraud-r1"))
        self.put_pod(ready=False)

    def change(self, kind: Kind, name: str, **parts: Any) -> list[str]:
        """The versions that it concerns when an object has other parts from now on."""
        before = self.store.find(kind, "shop", name)
        metadata = parts.pop("metadata", {})
        known: dict[str, Any] = dict(before or {"metadata": {}})
        after = {**self.build(kind, name), **known, **parts}
        after["metadata"] = {**self.build(kind, name)["metadata"], **known["metadata"], **metadata}
        return [key.name for key in find_version_keys(self.store, kind, before, after)]

    def remove(self, kind: Kind, name: str) -> list[str]:
        """Those that it concerns when an object is gone."""
        before = self.store.find(kind, "shop", name)
        return [key.name for key in find_version_keys(self.store, kind, before, None)]

    def turn(self, **status: Any) -> list[str]:
        """Those that it concerns when fraud has another status."""
        return self.change(Kind.MODEL_DEPLOYMENT, "fraud", status=status)


@pytest.fixture
def world() -> World:
    return World()


STABLE = role("fraud-r1")
TURNS = [
    ("a candidate begins", {"stable": STABLE, "candidate": role("fraud-r2", "v2")}, ["v2"]),
    ("it is promoted", {"stable": role("fraud-r2", "v2"), "warm": STABLE}, ["v1", "v2"]),
    ("the same version under other limits", {"stable": STABLE, "candidate": role("fraud-r3")}, ["v1"]),
    (
        "one is taken back",
        {"stable": STABLE, "rejected": [role("fraud-r2", "v2") | {"reason": "NotFinite", "message": ""}]},
        ["v2"],
    ),
    ("gates are held", {"stable": STABLE, "gates": {"run": "g", "modelVersion": "v2"}}, ["v2"]),
    ("counts alone are new", {"stable": STABLE, "rollout": {"steps": [{"candidateRequests": 9}]}}, []),
    ("words alone are new", {"stable": STABLE, "conditions": [{"type": "Ready"}]}, []),
]


@pytest.mark.parametrize(("status", "versions"), [row[1:] for row in TURNS], ids=[row[0] for row in TURNS])
def test_a_turn_of_a_rollout(world: World, status: dict[str, Any], versions: list[str]) -> None:
    assert world.turn(**status) == versions


def test_another_wish_concerns_both_versions(world: World) -> None:
    assert world.change(Kind.MODEL_DEPLOYMENT, "fraud", spec={"modelVersion": "v2"}) == ["v1", "v2"]


@pytest.mark.parametrize("metadata", [{"deletionTimestamp": "now"}, {"uid": "another"}])
def test_a_deployment_that_goes_concerns_all_that_it_has_a_record_of(
    world: World, metadata: dict[str, str]
) -> None:
    assert world.change(Kind.MODEL_DEPLOYMENT, "fraud", metadata=metadata) == ["v0", "v1"]


def test_a_deployment_that_is_gone_does_too(world: World) -> None:
    assert world.remove(Kind.MODEL_DEPLOYMENT, "fraud") == ["v0", "v1"]


def test_a_new_version_concerns_itself_and_its_own_status_nobody(world: World) -> None:
    assert world.change(Kind.MODEL_VERSION, "v1") == ["v1"]
    world.put_version()
    assert world.change(Kind.MODEL_VERSION, "v1", status={"users": 1}) == []
    assert world.change(Kind.MODEL_VERSION, "v1", metadata={"uid": "another"}) == ["v1"]
    assert world.remove(Kind.MODEL_VERSION, "v1") == ["v1"]


def test_a_record_concerns_its_version_when_it_comes_serves_or_goes(world: World) -> None:
    served, plain = ({"annotations": {PROMOTED_ANNOTATION: text}} for text in ("true", "false"))
    assert world.remove(Kind.CONTROLLER_REVISION, "fraud-r0") == ["v0"]
    assert world.change(Kind.CONTROLLER_REVISION, "fraud-r0", metadata=plain) == ["v0"]
    assert world.change(Kind.CONTROLLER_REVISION, "fraud-r0", metadata=served) == []
    data = {"modelVersion": "v9"}
    assert world.change(Kind.CONTROLLER_REVISION, "new", data=data) == ["v9"]


def test_a_story_that_grows_in_a_record_concerns_nobody(world: World) -> None:
    annotations = {PROMOTED_ANNOTATION: "true", "tidegate.io/history": "[]"}
    assert world.change(Kind.CONTROLLER_REVISION, "fraud-r0", metadata={"annotations": annotations}) == []


@pytest.mark.parametrize("data", [None, "text", {}])
def test_a_record_that_somebody_made_up_concerns_nobody(world: World, data: Any) -> None:
    assert world.change(Kind.CONTROLLER_REVISION, "made-up", data=data) == []


def test_a_pod_concerns_its_version_when_it_has_loaded_it_or_says_why_not(world: World) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    failed = {"containerStatuses": [ended("DigestMismatch", "another hash")]}
    killed = {"containerStatuses": [{"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}
    assert world.change(Kind.POD, "p", status=ready) == ["v1"]
    assert world.change(Kind.POD, "p", status=failed) == ["v1"]
    assert world.change(Kind.POD, "p", status=killed) == []
    assert world.change(Kind.POD, "p", metadata={"annotations": {"a": "b"}}) == []


def test_a_pod_of_the_same_bytes_under_another_name_concerns_both(world: World) -> None:
    world.put_deployment(wants="v1b", stable=role("fraud-r1", "v1b"))
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert world.change(Kind.POD, "p", status=ready) == ["v1", "v1b"]


def test_a_pod_that_holds_gates_concerns_the_version_that_they_are_held_for(world: World) -> None:
    world.put_gates_pod(started=False)
    started = world.build(Kind.POD, "fraud-g1")["metadata"]
    status = {"initContainerStatuses": [{"name": "predictor", "started": True}]}
    assert world.change(Kind.POD, "fraud-g1", status=status) == []
    world.put_deployment(wants="v2", gates={"run": "fraud-g1", "modelVersion": "v2"})
    assert world.change(Kind.POD, started["name"], status=status) == ["v2"]


@pytest.mark.parametrize("kind", [Kind.DEPLOYMENT, Kind.SERVICE, Kind.JOB, Kind.POD_DISRUPTION_BUDGET])
def test_other_objects_concern_no_version(world: World, kind: Kind) -> None:
    assert world.change(kind, "fraud-r1") == []


def test_a_pod_of_a_router_concerns_no_version(world: World) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert world.change(Kind.POD, "tidegate-router-x", status=ready) == []
