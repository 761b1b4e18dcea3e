"""Writes: only what differs, each event once, a status only if it changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.act.fake_cluster import FakeCluster

from tidegate_operator.act.applier import Applier, Name
from tidegate_operator.act.likeness import holds
from tidegate_operator.act.recorder import Recorder
from tidegate_operator.act.status import StatusWriter
from tidegate_operator.api.status import (
    ModelDeploymentStatus,
    Phase,
    RevisionStatus,
    RolloutStatus,
    StepCounts,
)
from tidegate_operator.plan.plan import Event

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BODY = {
    "apiVersion": "tidegate.io/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "fraud", "namespace": "shop", "uid": "u1"},
}
NAME = ("Service", "shop", "fraud")


def service(**spec: Any) -> dict[str, Any]:
    """A Service."""
    return {"kind": "Service", "metadata": {"name": "fraud", "namespace": "shop"}, "spec": spec}


class World:
    """An applier, the API server, and the watches, which show what is there when they are told to."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.seen: dict[Name, dict[str, Any]] = {}
        self.applier = Applier(self.cluster, find=self.seen.get)

    def show(self, **spec: Any) -> None:
        """The watches catch up, with someone else's change to the spec if there is one."""
        body = self.cluster.stored[NAME]
        self.cluster.version += bool(spec)
        version = {"resourceVersion": str(self.cluster.version)}
        self.seen[NAME] = {
            **body,
            "metadata": {**body["metadata"], **version},
            "spec": {**body["spec"], **spec},
        }

    def restart(self) -> None:
        """A new operator, which has seen what the watches show."""
        self.applier = Applier(self.cluster, find=self.seen.get)


async def test_a_quiet_object_costs_no_write() -> None:
    applier = World().applier
    assert [await applier.apply([service(a=1)]) for _ in range(3)] == [1, 0, 0]


async def test_a_changed_object_is_applied() -> None:
    applier = World().applier
    assert [await applier.apply([service(a=value)]) for value in (1, 2)] == [1, 1]


async def test_our_own_write_coming_back_is_no_reason_to_write() -> None:
    world = World()
    await world.applier.apply([service(a=1)])
    world.show()
    assert await world.applier.apply([service(a=1)]) == 0


async def test_a_watch_that_lags_behind_our_own_write_is_no_reason_to_write() -> None:
    world = World()
    await world.applier.apply([service(a=1)])
    world.show()
    await world.applier.apply([service(a=2)])
    assert await world.applier.apply([service(a=2)]) == 0


async def test_what_someone_else_changed_or_deleted_is_applied_again() -> None:
    world = World()
    await world.applier.apply([service(a=1)])
    world.show(a=7)
    assert await world.applier.apply([service(a=1)]) == 1
    world.seen.clear()
    world.applier.forget(NAME)
    assert await world.applier.apply([service(a=1)]) == 1


async def test_what_someone_else_added_is_theirs() -> None:
    world = World()
    await world.applier.apply([service(a=1)])
    world.show(b=2)
    assert await world.applier.apply([service(a=1)]) == 0


async def test_a_restart_writes_nothing_that_is_so_already() -> None:
    world = World()
    await world.applier.apply([service(a=1)])
    world.show()
    world.restart()
    assert await world.applier.apply([service(a=1)]) == 0


async def test_what_is_wanted_no_longer_is_taken_away_after_a_restart_too() -> None:
    world = World()
    await world.applier.apply([service(a=1, b=2)])
    world.show()
    world.restart()
    assert await world.applier.apply([service(a=1)]) == 1


async def test_what_no_watch_shows_is_applied_again_now_and_then() -> None:
    world = World()
    await world.applier.apply([service(a=1)])
    world.applier.forget_unseen()
    assert await world.applier.apply([service(a=1)]) == 1


@pytest.mark.parametrize(
    ("found", "wanted", "so"),
    [
        ({"replicas": 1, "paused": False}, {"replicas": 1}, True),
        ({"replicas": 2}, {"replicas": 1}, False),
        ({}, {"labels": {}, "args": [], "value": ""}, True),
        ({}, {"replicas": 0}, False),
        ({"ports": [{"port": 80, "protocol": "TCP"}]}, {"ports": [{"port": 80}]}, True),
        ({"ports": [{"port": 80}, {"port": 81}]}, {"ports": [{"port": 80}]}, False),
    ],
)
def test_an_object_is_as_wanted_whatever_the_api_server_added(
    found: dict[str, Any],
    wanted: dict[str, Any],
    so: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert holds(found, wanted) is so


async def test_an_event_is_told_once_and_again_when_it_is_half_forgotten() -> None:
    cluster = FakeCluster()
    recorder = Recorder(cluster, "me")
    for minutes in (0, 1, 31):
        await recorder.record(BODY, Event("Warning", "TakenBack", "errors"), NOW + timedelta(minutes=minutes))
    assert cluster.asked == ["create Event TakenBack"] * 2


async def test_an_event_that_cannot_be_written_is_dropped_with_a_word_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = FakeCluster()
    recorder = Recorder(cluster, "me")
    cluster.away = True
    await recorder.record(BODY, Event("Normal", "Promoted", "proven"), NOW)
    cluster.away = False
    await recorder.record(BODY, Event("Warning", "RolledBack", "errors"), NOW)
    assert cluster.asked == ["create Event RolledBack"]
    assert caplog.messages == ["the event Promoted could not be written: the API server does not answer"]


async def test_a_status_is_written_when_it_changed() -> None:
    writer = StatusWriter(FakeCluster())
    pending, serving = (ModelDeploymentStatus(phase=phase) for phase in (Phase.PENDING, Phase.SERVING))
    assert [await writer.write(BODY, status) for status in (pending, pending, serving)] == [True, False, True]


def rollout(requests: int, *, step: int = 0) -> ModelDeploymentStatus:
    """A rollout whose candidate answered so many requests."""
    revision = RevisionStatus(revision="fraud-2", model_version="fraud-2", digest="sha256:2", since="")
    counts = (StepCounts(candidate_requests=requests),)
    return ModelDeploymentStatus(
        phase=Phase.CANARY, candidate=revision, rollout=RolloutStatus(started_at="", step=step, steps=counts)
    )


async def test_counts_alone_are_written_every_few_seconds() -> None:
    now = 0.0
    writer = StatusWriter(FakeCluster(), clock=lambda: now)
    written = []
    for second in range(11):
        now = float(second)
        written += [second] if await writer.write(BODY, rollout(requests=second)) else []
    assert written == [0, 5, 10]


async def test_a_new_step_is_written_at_once() -> None:
    writer = StatusWriter(FakeCluster(), clock=lambda: 0.0)
    assert [await writer.write(BODY, rollout(9, step=step)) for step in (0, 1)] == [True, True]
