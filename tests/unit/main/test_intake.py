"""The intake: each piece of news is taken once, from a watch or a list, and queues those that it concerns."""

from __future__ import annotations

from typing import Any

from tests.unit.act.fake_cluster import FakeCluster
from tests.unit.main.bodies import body, model_deployment

from tidegate_operator.act.applier import Applier
from tidegate_operator.main.intake import SELECTORS, Intake
from tidegate_operator.observe.store import Key, Kind, Store

FRAUD, ROUTER = Key("shop", "fraud"), Key("shop")
VERSION = Key("shop", "fraud-1", Kind.MODEL_VERSION)


class World:
    """An intake over an API server of dictionaries."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.store = Store()
        self.queued: list[Key] = []
        self.applier = Applier(self.cluster, find=lambda name: self.store.find(Kind(name[0]), *name[1:]))
        self.intake = Intake(self.store, self.applier, self.queued.append)

    def take(self, kind: Kind, event: str | None, *bodies: dict[str, Any]) -> list[Key]:
        """Events of a watch; the keys that they queue."""
        self.queued.clear()
        for each in bodies:
            self.intake.take(kind, event, each)
        return self.queued

    async def list_all(self) -> None:
        """A resync."""
        await self.intake.take_all(self.cluster, None)


def test_an_event_is_stored_and_queues_those_that_it_concerns() -> None:
    world = World()
    assert world.take(Kind.MODEL_DEPLOYMENT, "ADDED", model_deployment()) == [FRAUD, ROUTER, VERSION]
    assert world.take(Kind.POD, "ADDED", body("fraud-1-x", owner="fraud")) == [FRAUD]
    assert world.store.find(Kind.POD, "shop", "fraud-1-x") is not None


def test_what_is_known_already_is_no_news() -> None:
    world = World()
    pod = body("fraud-1-x", owner="fraud", version=7)
    world.take(Kind.POD, "ADDED", pod)
    assert world.take(Kind.POD, None, pod) == []
    assert world.take(Kind.POD, "MODIFIED", body("fraud-1-x", owner="fraud", version=6)) == []


def test_a_namesake_made_anew_is_news_whatever_its_version() -> None:
    world = World()
    world.take(Kind.POD, "ADDED", body("fraud-1-x", owner="fraud", version=7))
    reborn = body("fraud-1-x", owner="fraud", version=6, metadata={"uid": "another"})
    assert world.take(Kind.POD, "ADDED", reborn) == [FRAUD]


def test_a_deletion_is_forgotten_and_queues_those_that_it_concerns() -> None:
    world = World()
    world.take(Kind.POD, "ADDED", body("fraud-1-x", owner="fraud"))
    assert world.take(Kind.POD, "DELETED", body("fraud-1-x", owner="fraud", version=2)) == [FRAUD]
    assert world.store.find(Kind.POD, "shop", "fraud-1-x") is None


async def test_our_own_service_coming_back_queues_nobody() -> None:
    world = World()
    service = {"kind": "Service", **body("fraud", owner="fraud")}
    await world.applier.apply([service])
    stored = world.cluster.stored["Service", "shop", "fraud"]
    assert world.take(Kind.SERVICE, "ADDED", stored) == []


async def test_our_own_record_coming_back_is_news_to_its_version_alone() -> None:
    world = World()
    data = {"modelVersion": "fraud-1"}
    record = {"kind": "ControllerRevision", **body("fraud-1a", owner="fraud"), "data": data}
    await world.applier.apply([record])
    stored = world.cluster.stored["ControllerRevision", "shop", "fraud-1a"]
    assert world.take(Kind.CONTROLLER_REVISION, "ADDED", stored) == [VERSION]


async def test_a_service_that_someone_deletes_is_made_again() -> None:
    world = World()
    service = {"kind": "Service", **body("fraud", owner="fraud")}
    await world.applier.apply([service])
    stored = world.cluster.stored["Service", "shop", "fraud"]
    world.take(Kind.SERVICE, "ADDED", stored)
    assert world.take(Kind.SERVICE, "DELETED", stored) == [FRAUD]
    assert await world.applier.apply([service]) == 1


async def test_everything_is_listed_of_ours_alone_where_the_kind_is_not_ours() -> None:
    world = World()
    await world.list_all()
    ours = "app.kubernetes.io/part-of=tidegate"
    assert world.cluster.asked == [
        f"list {kind} {ours if selector else ''}" for kind, selector in SELECTORS.items()
    ]


async def test_a_list_shows_what_a_watch_missed() -> None:
    world = World()
    world.take(Kind.POD, "ADDED", body("gone", owner="fraud"))
    world.cluster.version = 9
    world.cluster.stored["Pod", "shop", "missed"] = body("missed", owner="fraud", version=5)
    await world.list_all()
    assert world.store.find(Kind.POD, "shop", "gone") is None
    assert world.store.find(Kind.POD, "shop", "missed") is not None
    assert world.queued == [FRAUD] * 2


async def look_after_deletion(world: World, stored: dict[str, Any] | None) -> None:
    """A Deployment of fraud is deleted, and fraud is asked for."""
    world.take(Kind.MODEL_DEPLOYMENT, "ADDED", model_deployment())
    deployment = body("fraud-1", owner="fraud")
    world.take(Kind.DEPLOYMENT, "ADDED", deployment)
    if stored:
        world.cluster.stored["ModelDeployment", "shop", "fraud"] = stored
    world.take(Kind.DEPLOYMENT, "DELETED", deployment)
    world.queued.clear()
    await world.intake.verify(world.cluster, FRAUD)


async def test_a_deletion_that_no_watch_told_is_noticed_by_what_goes_with_it() -> None:
    world = World()
    await look_after_deletion(world, None)
    assert world.store.find(Kind.MODEL_DEPLOYMENT, "shop", "fraud") is None
    assert world.queued == [FRAUD, ROUTER, VERSION]


async def test_a_namesake_made_since_is_not_taken_for_the_one_that_was_deleted() -> None:
    world = World()
    await look_after_deletion(world, model_deployment(metadata={"uid": "another"}))
    assert world.store.find(Kind.MODEL_DEPLOYMENT, "shop", "fraud") is None


async def test_a_child_that_somebody_deleted_costs_one_question() -> None:
    world = World()
    await look_after_deletion(world, model_deployment())
    assert world.store.find(Kind.MODEL_DEPLOYMENT, "shop", "fraud") is not None
    await world.intake.verify(world.cluster, FRAUD)
    assert world.cluster.asked == ["find ModelDeployment fraud"]


async def test_an_api_server_that_is_away_is_asked_again_and_keeps_no_look_waiting() -> None:
    world = World()
    world.cluster.away = True
    await look_after_deletion(world, model_deployment())
    world.cluster.away = False
    await world.intake.verify(world.cluster, FRAUD)
    assert world.cluster.asked[-1] == "find ModelDeployment fraud"


async def test_a_pod_that_goes_raises_no_question() -> None:
    world = World()
    world.take(Kind.POD, "ADDED", body("fraud-1-x", owner="fraud"))
    world.take(Kind.POD, "DELETED", body("fraud-1-x", owner="fraud", version=2))
    await world.intake.verify(world.cluster, FRAUD)
    assert world.cluster.asked == []
