"""Writes: only what differs, each event once, a status only if it changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.act.fake_cluster import FakeCluster

from tidegate_operator.act.applier import Applier
from tidegate_operator.act.recorder import Recorder
from tidegate_operator.act.status import StatusWriter
from tidegate_operator.api.status import ModelDeploymentStatus, Phase
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


async def test_a_quiet_object_costs_no_write() -> None:
    applier = Applier(FakeCluster())
    assert [await applier.apply([service(a=1)]) for _ in range(3)] == [1, 0, 0]


async def test_a_changed_object_is_applied() -> None:
    applier = Applier(FakeCluster())
    assert [await applier.apply([service(a=value)]) for value in (1, 2)] == [1, 1]


async def test_our_own_write_coming_back_is_no_reason_to_write() -> None:
    applier = Applier(FakeCluster())
    await applier.apply([service(a=1)])
    applier.notice(NAME, 1)
    assert await applier.apply([service(a=1)]) == 0


async def test_what_someone_else_changed_or_deleted_is_applied_again() -> None:
    applier = Applier(FakeCluster())
    await applier.apply([service(a=1)])
    applier.notice(NAME, 2)
    assert await applier.apply([service(a=1)]) == 1
    applier.notice(NAME, None)
    assert await applier.apply([service(a=1)]) == 1


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
