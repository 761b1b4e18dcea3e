"""The version reconciler: writes what is new and nothing else, asks once, and gives way to who was first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from tests.unit.act.fake_cluster import FakeCluster
from tests.unit.observe.version_world import SPEC, TOLD, V1, BundlePredictor, Shop, role, want_nothing

from tidegate_operator.act.cluster import ClusterError
from tidegate_operator.act.version_status import BUNDLE_MANAGER
from tidegate_operator.main.census import Census
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.main.versions import VersionParts, VersionReconciler
from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import Kind
from tidegate_operator.observe.versions import VersionObserver
from tidegate_operator.plan.version import ASK_AGAIN_SECONDS

WRITE = "status ModelVersion v1"


class Refusing(FakeCluster):
    """An API server that answers writes of a status with an HTTP error, if it is told to."""

    error = 0

    async def apply_status(self, manifest: Any, **manager: str) -> Any:
        """Told what it knows better."""
        if self.error:
            raise ClusterError("no", self.error)
        return await super().apply_status(manifest, **manager)


class World(Shop):
    """The shop, in which fraud wants v1, with a reconciler of versions."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self.cluster = Refusing()
        self.metrics = Metrics()
        self.session = session
        self.lead_anew()
        self.cluster.stored["ModelVersion", "shop", "v1"] = self.build(Kind.MODEL_VERSION, "v1", spec=SPEC)
        self.put_version()
        self.put_deployment(wants="v1")

    def lead_anew(self) -> None:
        """Another operator, which knows what the watches tell and nothing else."""
        observer = VersionObserver(self.store, Scraper(self.session), vouch=want_nothing)
        parts = VersionParts(self.store, self.cluster, observer, Census(self.metrics))
        self.reconciler = VersionReconciler(parts, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    async def look(self) -> float | None:
        """One look at v1."""
        return await self.reconciler.reconcile(V1)

    @property
    def status(self) -> dict[str, Any]:
        """What the API server has."""
        applied = self.cluster.applied["ModelVersion", "shop", "v1"]
        return {key: value for part in applied.values() for key, value in part.items()}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as session:
        yield World(session)


@pytest.fixture
async def predictor(world: World) -> AsyncIterator[BundlePredictor]:
    """v1 serves, and a pod of it is ready."""
    predictor = BundlePredictor("p")
    await predictor.start()
    world.put_record(promoted=True)
    world.put_deployment(wants="v1", stable=role("fraud-r1"))
    world.put_pod(address=predictor.address)
    yield predictor
    await predictor.stop()


async def test_the_first_look_writes_what_is_so(world: World) -> None:
    assert await world.look() is None
    assert world.status["usedBy"] == [{"name": "fraud", "as": "Wanted"}]
    assert world.status["users"] == 1
    assert world.status["observedGeneration"] == 1


async def test_at_rest_nothing_is_written_and_nobody_is_asked(
    world: World, predictor: BundlePredictor
) -> None:
    await world.look()
    asked, scraped = list(world.cluster.asked), predictor.asked
    for _ in range(3):
        assert await world.look() is None
    assert (world.cluster.asked, predictor.asked) == (asked, scraped)


async def test_another_operator_finds_nothing_to_write(world: World, predictor: BundlePredictor) -> None:
    await world.look()
    asked = list(world.cluster.asked)
    world.lead_anew()
    assert await world.look() is None
    assert (world.cluster.asked, predictor.asked) == (asked, 1)


async def test_a_watch_that_lags_behind_causes_no_other_write(world: World) -> None:
    before = world.store.find(Kind.MODEL_VERSION, "shop", "v1")
    await world.look()
    assert before is not None
    world.store.put(Kind.MODEL_VERSION, before)
    await world.look()
    assert world.cluster.asked == [WRITE]


async def test_what_a_predictor_tells_is_written_once_by_a_manager_of_its_own(
    world: World, predictor: BundlePredictor
) -> None:
    await world.look()
    world.put_deployment(wants="v2", stable=role("fraud-r2", "v2"))
    await world.look()
    applied = world.cluster.applied["ModelVersion", "shop", "v1"]
    assert applied[BUNDLE_MANAGER] == {key: TOLD[key] for key in ("format", "size", "signature")}
    assert world.cluster.asked == [WRITE] * 3  # its bundle, that it serves, that it did
    assert world.status["usedBy"] == [{"name": "fraud", "as": "History", "revision": "fraud-r1"}]
    assert (predictor.asked, world.status["size"]) == (1, 5_000)


async def test_who_does_not_answer_is_asked_again_soon(world: World, predictor: BundlePredictor) -> None:
    predictor.told = {}
    assert await world.look() == ASK_AGAIN_SECONDS
    assert world.status["conditions"][0]["status"] == "True"
    assert "signature" not in world.status


async def test_a_condition_of_somebody_else_is_no_reason_to_write(world: World) -> None:
    await world.look()
    foreign = {"type": "Approved", "status": "True", "reason": "Ana", "lastTransitionTime": ""}
    status = world.status | {"conditions": [*world.status["conditions"], foreign]}
    world.number = 500
    world.put_version(status=status)
    await world.look()
    assert world.cluster.asked == [WRITE]


async def test_what_somebody_else_changed_is_written_over(world: World) -> None:
    await world.look()
    world.number = 500
    world.put_version(status=world.status | {"users": 7})
    await world.look()
    assert world.cluster.asked == [WRITE] * 2


@pytest.mark.parametrize("gone", [404, 409])
async def test_a_version_that_is_gone_meanwhile_is_let_go(world: World, gone: int) -> None:
    world.cluster.error = gone
    assert await world.look() is None


async def test_a_right_that_is_missing_is_told_once_a_look_and_not_tried_in_a_hurry(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.cluster.error = 403
    assert await world.look() is None
    assert caplog.messages == ["ModelVersion shop/v1 is not written: no"]
    assert world.metrics.refusals._value.get() == 1


async def test_an_api_server_that_is_away_is_tried_again(world: World) -> None:
    world.cluster.away = True
    with pytest.raises(ClusterError):
        await world.look()


async def test_a_version_that_was_deleted_is_not_looked_at(world: World) -> None:
    body = world.store.find(Kind.MODEL_VERSION, "shop", "v1")
    assert body is not None
    world.store.drop(Kind.MODEL_VERSION, body)
    await world.look()
    assert world.cluster.asked == []
