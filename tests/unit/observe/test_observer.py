"""The observer: each request is counted once, under the split that it was sent by, and for whom it was sent to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from tests.unit.observe.pods import Pod, Predictor, Router

from tidegate.history import HISTORY_ANNOTATION, Place, Stay, write_history
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.status import ModelDeploymentStatus, RevisionStatus
from tidegate_operator.observe.observer import SETTLE_SECONDS, Observer
from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import Key, Kind, Store
from tidegate_operator.plan.facts import Snapshot, Traffic
from tidegate_operator.plan.identity import DEPLOYMENT_LABEL, REVISION_LABEL
from tidegate_operator.plan.plan import Plan
from tidegate_operator.plan.release_policy import SignedBy, Vouching

FRAUD = Key("shop", "fraud")
START = datetime(2026, 1, 1, tzinfo=UTC)


def revision(name: str) -> RevisionStatus:
    """A revision as a status names it."""
    return RevisionStatus(revision=name, model_version=name, digest="sha256:1", since="")


IN_ROLLOUT = ModelDeploymentStatus(stable=revision("fraud-1"), candidate=revision("fraud-2"))
AT_REST = ModelDeploymentStatus(stable=revision("fraud-2"))


@dataclass
class World:
    """A ModelDeployment in a rollout from fraud-1 to fraud-2, with one router."""

    session: aiohttp.ClientSession
    store: Store = field(default_factory=Store)
    router: Router = field(default_factory=lambda: Router("router"))
    seconds: float = 0.0
    version: int = 0
    vouched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.observer = Observer(
            self.store,
            Scraper(self.session),
            version_of_routes=lambda _: "newest",
            seen_seconds=lambda: 60.0,
            now=lambda: START,
            vouch=self.vouch,
            clock=lambda: self.seconds,
        )
        self.put_deployment(IN_ROLLOUT)
        for name in ("fraud-1", "fraud-2"):
            self.put_revision(name)

    def vouch(self, version: ModelVersion) -> Vouching:
        """Whoever asks is noted."""
        self.vouched.append(version.metadata.name)
        return SignedBy(f"the key of {version.metadata.name}")

    def put_version(self, name: str) -> None:
        """A ModelVersion is there."""
        source = {"uri": f"s3://models/fraud/{name}"}
        spec = {"model": "fraud", "source": source, "digest": "sha256:" + "1" * 64}
        self.put(Kind.MODEL_VERSION, name, {}, spec=spec)

    def put(self, kind: Kind, name: str, labels: dict[str, str], **parts: Any) -> None:
        """An object is there."""
        self.version += 1
        metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": str(self.version)}
        metadata |= {"labels": labels, **parts.pop("metadata", {})}
        self.store.put(kind, {"metadata": metadata, **parts})

    def put_deployment(self, status: ModelDeploymentStatus, uid: str = "u1") -> None:
        """The ModelDeployment, which asks for fraud-2."""
        document = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        spec = {"modelVersion": "fraud-2"}
        self.put(Kind.MODEL_DEPLOYMENT, "fraud", {}, metadata={"uid": uid}, spec=spec, status=document)

    def put_revision(self, name: str, owner: str = "u1", **annotations: str) -> None:
        """The record of a revision."""
        data = {"modelVersion": name, "digest": "sha256:1", "deployment": {}}
        metadata = {"ownerReferences": [{"uid": owner}], "annotations": annotations}
        labels = {DEPLOYMENT_LABEL: "fraud"}
        self.put(Kind.CONTROLLER_REVISION, name, labels, metadata=metadata, revision=1, data=data)

    async def start(self, pod: Pod, labels: dict[str, str], started: datetime = START) -> None:
        """A pod runs."""
        await pod.start()
        status = {"podIP": pod.address, "phase": "Running", "startTime": started.isoformat()}
        self.put(Kind.POD, pod.name, labels, status=status)

    async def start_router(self, router: Router, **when: datetime) -> None:
        """A router runs."""
        labels = {"app.kubernetes.io/component": "router", "app.kubernetes.io/part-of": "tidegate"}
        await self.start(router, labels, **when)

    async def look(
        self,
        status: ModelDeploymentStatus = IN_ROLLOUT,
        *,
        split_changed: bool = False,
        histories: Mapping[str, tuple[Stay, ...]] | None = None,
    ) -> Snapshot:
        """One look, whose plan comes to a status."""
        observation = await self.observer.read(FRAUD)
        assert observation is not None
        made = Plan(None, (), (), status, (), (), None, histories=histories or {})
        self.observer.commit(FRAUD, observation, made, split_changed=split_changed)
        return observation.snapshot

    async def count(self, **how: Any) -> int:
        """Requests of the candidate in one look."""
        return (await self.look(**how)).traffic["fraud-2"].requests


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A rollout that was looked at once."""
    async with aiohttp.ClientSession() as session:
        world = World(session)
        await world.start_router(world.router)
        world.router.completed["fraud-2"] = 100
        await world.look()
        yield world
        await world.router.stop()


async def test_what_was_there_before_us_is_not_counted(world: World) -> None:
    assert await world.count() == 0


async def test_a_request_is_counted_once(world: World) -> None:
    world.router.completed["fraud-2"] += 7
    assert [await world.count(), await world.count()] == [7, 0]


async def test_a_look_whose_plan_came_to_nothing_counts_again(world: World) -> None:
    world.router.completed["fraud-2"] += 7
    await world.observer.read(FRAUD)
    assert await world.count() == 7


async def test_what_ends_while_a_new_split_settles_was_sent_under_the_old_one(world: World) -> None:
    await world.look(split_changed=True)
    world.router.completed["fraud-2"] += 5
    assert await world.count() == 0
    world.seconds += SETTLE_SECONDS
    world.router.completed["fraud-2"] += 3
    assert await world.count() == 3


async def test_a_router_whose_process_began_anew_is_counted_from_zero(world: World) -> None:
    world.router.completed["fraud-2"] = 4
    assert await world.count() == 4


async def test_all_that_a_router_counted_that_started_after_us_is_news(world: World) -> None:
    second = Router("second")
    second.completed["fraud-2"] = 9
    world.observer._now = lambda: START + timedelta(minutes=1)
    await world.start_router(second, started=START + timedelta(seconds=1))
    assert await world.count() == 9
    await second.stop()


async def test_a_router_that_does_not_answer_costs_no_count(world: World) -> None:
    world.router.completed["fraud-2"] += 7
    world.router.babbles = True
    assert await world.count() == 0
    world.router.babbles = False
    assert await world.count() == 7


async def test_the_slowest_router_decides_who_is_healthy(world: World) -> None:
    second = Router("second")
    await world.start_router(second)
    world.router.healthy["fraud-2"], second.healthy["fraud-2"] = 2, 1
    assert (await world.look()).traffic["fraud-2"].healthy == 1
    await second.stop()


async def test_routes_are_known_when_the_slowest_router_goes_by_the_newest(world: World) -> None:
    second = Router("second")
    await world.start_router(second)
    second.routes_version = "older"
    assert not (await world.look()).routes_known
    second.routes_version = "newest"
    assert (await world.look()).routes_known
    await second.stop()


async def test_without_a_router_that_answers_no_routes_are_known(world: World) -> None:
    world.router.babbles = True
    assert not (await world.look()).routes_known


async def test_what_predictors_answered_that_is_no_number_is_counted_by_revision(world: World) -> None:
    predictor = Predictor("fraud-2-x", "fraud-2")
    await world.start(predictor, {DEPLOYMENT_LABEL: "fraud", REVISION_LABEL: "fraud-2"})
    await world.look()
    predictor.not_finite += 2
    assert (await world.look()).traffic["fraud-2"].not_finite == 2
    await predictor.stop()


async def test_a_namesake_has_none_of_its_predecessors_revisions_and_status(world: World) -> None:
    world.put_deployment(ModelDeploymentStatus(), uid="u2")
    snapshot = await world.look()
    assert snapshot.revisions == ()
    assert snapshot.deployment.status.stable is None


async def test_the_status_that_was_decided_last_counts_though_the_stored_one_is_older(world: World) -> None:
    await world.look(AT_REST)
    assert (await world.look(AT_REST)).deployment.status == AT_REST


async def test_a_model_at_rest_costs_no_scrape(world: World) -> None:
    await world.look(AT_REST)
    asked = world.router.asked
    assert (await world.look(AT_REST)).traffic["fraud-2"] == Traffic()
    assert world.router.asked == asked


async def test_a_rollout_after_a_rest_begins_its_counts_anew(world: World) -> None:
    await world.look(AT_REST)
    world.router.completed["fraud-2"] += 50
    await world.look(IN_ROLLOUT)
    assert await world.count() == 0
    world.router.completed["fraud-2"] += 2
    assert await world.count() == 2


async def test_a_model_that_is_going_is_not_looked_at(world: World) -> None:
    world.put(Kind.MODEL_DEPLOYMENT, "fraud", {}, metadata={"uid": "u1", "deletionTimestamp": "now"}, spec={})
    assert await world.observer.read(FRAUD) is None


async def test_signatures_are_asked_of_the_wanted_version_and_of_the_candidate(world: World) -> None:
    for name in ("fraud-1", "fraud-2", "fraud-3"):
        world.put_version(name)
    assert (await world.look()).vouchings == {"fraud-2": SignedBy("the key of fraud-2")}
    snapshot = await world.look(ModelDeploymentStatus(candidate=revision("fraud-3")))
    assert (await world.look()).vouchings.keys() == {"fraud-2", "fraud-3"}
    assert snapshot.version is not None
    assert "fraud-1" not in world.vouched


async def test_of_a_version_that_is_not_there_no_signature_is_asked(world: World) -> None:
    assert (await world.look()).vouchings == {}
    assert world.vouched == []


TOLD = (Stay(Place.CANDIDATE, "2026-01-01T00:00:00Z", 5, end="2026-01-01T00:01:00Z", ended="ErrorRate"),)


def seen_of(snapshot: Snapshot, name: str) -> tuple[tuple[Stay, ...], tuple[Stay, ...]]:
    """What is known of a revision, and what its record says."""
    (found,) = (revision for revision in snapshot.revisions if revision.name == name)
    return found.history, found.recorded


async def test_a_history_that_was_decided_stands_until_its_record_tells_it(world: World) -> None:
    """A watch lags behind our own write: the next look must not go on from less."""
    await world.look(histories={"fraud-2": TOLD})
    assert seen_of(await world.look(histories={"fraud-2": TOLD}), "fraud-2") == (TOLD, ())
    world.put_revision("fraud-2", **{HISTORY_ANNOTATION: write_history(TOLD)})
    assert seen_of(await world.look(), "fraud-2") == (TOLD, TOLD)


async def test_a_namesake_does_not_inherit_a_history(world: World) -> None:
    await world.look(histories={"fraud-2": TOLD})
    world.put_deployment(IN_ROLLOUT, uid="u2")
    world.put_revision("fraud-2", owner="u2")
    assert seen_of(await world.look(), "fraud-2") == ((), ())
