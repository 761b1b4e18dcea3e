"""The status writer, beside a watch that lags and somebody else who writes."""

from __future__ import annotations

import pytest
from tests.unit.act.fake_cluster import FakeCluster

from tidegate_operator.act.status import StatusWriter, dump_status
from tidegate_operator.api.status import ModelDeploymentStatus, Phase

SERVING = ModelDeploymentStatus(phase=Phase.SERVING)


def body(version: int, status: dict[str, object]) -> dict[str, object]:
    metadata = {"name": "fraud", "namespace": "bank", "uid": "u", "resourceVersion": str(version)}
    return {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": metadata,
        "status": status,
    }


@pytest.fixture
async def writer() -> StatusWriter:
    """One that has written Serving."""
    made = StatusWriter(FakeCluster())
    await made.write(body(7, {}), SERVING)
    return made


async def test_what_is_so_already_is_not_written(writer: StatusWriter) -> None:
    assert not await StatusWriter(FakeCluster()).write(body(8, dump_status(SERVING)), SERVING)


async def test_a_watch_that_lags_behind_our_own_write_causes_no_other(writer: StatusWriter) -> None:
    assert not await writer.write(body(7, {}), SERVING)


async def test_what_somebody_else_has_written_since_is_written_over(writer: StatusWriter) -> None:
    assert await writer.write(body(500, {"phase": "Canary"}), SERVING)
