"""What is known of a version: who names it, what its pods say, and what one of them tells of its bundle, asked once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.unit.observe.version_world import (
    DIGEST,
    TOLD,
    V1,
    BundlePredictor,
    Shop,
    ended,
    role,
    want_nothing,
)

from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import Kind
from tidegate_operator.observe.versions import MOST_TRIES, VersionObserver
from tidegate_operator.plan.facts import Trouble
from tidegate_operator.plan.users import Role
from tidegate_operator.plan.version import VersionSnapshot


class World(Shop):
    """The shop, with an observer and one predictor of v1."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self.observer = VersionObserver(self.store, Scraper(session), vouch=want_nothing)
        self.predictor = BundlePredictor("p")

    async def start(self, **pod: str) -> None:
        """The predictor is ready."""
        await self.predictor.start()
        self.put_pod(address=self.predictor.address, **pod)

    async def look(self) -> VersionSnapshot:
        """One look at v1."""
        found = await self.observer.read(V1)
        assert found is not None
        return found


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """v1 serves in fraud, and nobody has told what it holds."""
    async with aiohttp.ClientSession() as session:
        world = World(session)
        world.put_version()
        world.put_record()
        world.put_deployment(wants="v1", stable=role("fraud-r1"))
        yield world
        await world.predictor.stop()


async def test_a_version_that_is_gone_or_going_is_not_looked_at(world: World) -> None:
    world.put_version(metadata={"deletionTimestamp": "now"})
    assert await world.observer.read(V1) is None
    assert await world.observer.read(type(V1)("shop", "v9", Kind.MODEL_VERSION)) is None


async def test_who_names_it_is_known_and_who_has_a_record_of_it(world: World) -> None:
    world.put_deployment("churn", wants="v1")
    world.put_deployment("other", wants="v2")
    world.put_deployment("fraud", wants="v2", stable=role("fraud-r2", "v2"))
    found = await world.look()
    assert [(fact.name, fact.wanted, fact.stable) for fact in found.deployments] == [
        ("churn", "v1", None),
        ("fraud", "v2", Role("fraud-r2", "v2")),
    ]


async def test_who_is_being_deleted_is_nobody(world: World) -> None:
    world.put_deployment(wants="v1", metadata={"deletionTimestamp": "now"})
    assert (await world.look()).deployments == ()


async def test_what_its_pods_say_is_known(world: World) -> None:
    world.put_pod("good", ready=True)
    world.put_pod("bad", **ended("DigestMismatch", "model.onnx is another"))
    world.put_pod("another's", revision="fraud-r9", ready=True)
    found = (await world.look()).predictors
    assert found.keys() == {"good", "bad"}
    assert found["good"].ready
    assert (found["bad"].trouble, found["bad"].message) == (Trouble.START_FAILED, "model.onnx is another")


async def test_the_same_bytes_under_another_name_are_served_by_the_pods_of_the_first(world: World) -> None:
    world.put_record(version="v0")
    world.put_pod(ready=True)
    assert (await world.look()).predictors.keys() == {"p"}


GATES = {"run": "fraud-g1", "modelVersion": "v1", "revision": "fraud-r1"}


@pytest.mark.parametrize("started", [True, False])
async def test_a_predictor_beside_gates_tells_by_its_start(world: World, started: bool) -> None:  # noqa: FBT001 - a table
    world.put_deployment(wants="v1", gates=GATES)
    world.put_gates_pod(started=started)
    assert (await world.look()).predictors["fraud-g1"].ready is started


async def test_the_gates_of_another_version_tell_nothing_of_this_one(world: World) -> None:
    world.put_deployment(wants="v1", gates=GATES | {"modelVersion": "v2"})
    world.put_gates_pod(started=True)
    assert (await world.look()).predictors == {}


async def test_a_predictor_that_is_ready_is_asked_what_it_has_loaded(world: World) -> None:
    await world.start()
    found = await world.look()
    assert found.asked
    assert found.loaded is not None
    assert (found.loaded.size, found.loaded.signature.inputs[1].categories) == (5_000, ("DE", "FR"))


async def test_nobody_is_asked_what_is_known(world: World) -> None:
    await world.start()
    world.put_version(status={"signature": {"task": "regression"}})
    found = await world.look()
    assert (found.asked, found.loaded, world.predictor.asked) == (False, None, 0)


async def test_who_is_not_ready_is_not_asked(world: World) -> None:
    await world.start(ready=False)
    assert not (await world.look()).asked


async def test_who_holds_gates_is_not_asked(world: World) -> None:
    world.put_deployment(wants="v1", gates=GATES)
    world.put_gates_pod(started=True)
    assert not (await world.look()).asked


@pytest.mark.parametrize("told", [{}, {"digest": 1}, TOLD | {"digest": "sha256:2"}, TOLD | {"size": -1}])
async def test_what_cannot_be_believed_is_no_answer(world: World, told: object) -> None:
    world.predictor.told = told
    await world.start()
    found = await world.look()
    assert (found.asked, found.loaded) == (True, None)


async def test_an_answer_without_end_is_none(world: World) -> None:
    world.predictor.told = TOLD | {"surplus": "x" * (1 << 20)}
    await world.start()
    assert (await world.look()).loaded is None


async def test_a_pod_that_does_not_know_the_question_is_let_alone_after_some_tries(world: World) -> None:
    world.predictor.told = {}
    await world.start()
    asked = [(await world.look()).asked for _ in range(MOST_TRIES + 2)]
    assert asked == [True] * MOST_TRIES + [False, False]
    assert world.predictor.asked == MOST_TRIES


async def test_another_pod_is_asked_afresh(world: World) -> None:
    world.predictor.told = {}
    await world.start()
    for _ in range(MOST_TRIES + 1):
        await world.look()
    newer = BundlePredictor("q")
    await newer.start()
    world.put_pod("q", address=newer.address)
    assert (await world.look()).loaded is not None
    await newer.stop()


async def test_its_records_tell_whose_they_are_and_whether_it_served(world: World) -> None:
    world.put_record(promoted=True)
    (record,) = (await world.look()).records
    assert (record.owner_uid, record.digest, record.promoted) == ("uid-of-fraud", DIGEST, True)
