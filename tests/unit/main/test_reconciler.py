"""The reconciler: the route first, the status before any pod goes, and decisions that outlive an absent API server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from tests.unit.act.fake_cluster import FakeCluster

from tidegate_operator.act.applier import Applier
from tidegate_operator.act.cluster import ClusterError
from tidegate_operator.act.recorder import Recorder
from tidegate_operator.act.status import StatusWriter
from tidegate_operator.api.status import ModelDeploymentStatus, Phase, RevisionStatus
from tidegate_operator.main.census import Census
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.main.reconciler import Parts, Reconciler
from tidegate_operator.observe.observer import Observer
from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import Key, Kind, Store
from tidegate_operator.plan.facts import Snapshot
from tidegate_operator.plan.plan import Plan, Route
from tidegate_operator.plan.render import RenderSettings
from tidegate_operator.routing.discovery import Discovery
from tidegate_operator.routing.router import RouterSettings
from tidegate_operator.routing.table import RouteTable

FRAUD = Key("shop", "fraud")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CANARY = Route("fraud-1", "fraud-2", weight=5)
BACK = Route("fraud-1", warm=("fraud-2",))
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "fraud-2", "namespace": "shop"},
    "spec": {"replicas": 0},
}


def served(phase: Phase) -> ModelDeploymentStatus:
    """The status of a ModelDeployment whose version fraud-1 is in service."""
    stable = RevisionStatus(
        revision="fraud-1", model_version="fraud-1", digest="sha256:1", since="2026-01-01T00:00:00Z"
    )
    return ModelDeploymentStatus(phase=phase, stable=stable)


class World:
    """A reconciler over an API server that can be away, with a plan that is told."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.cluster = FakeCluster()
        self.table = RouteTable()
        self.store = Store()
        self.queued: list[Key] = []
        self.seen: list[Snapshot] = []
        self.plan = Plan(CANARY, (), (), served(Phase.CANARY), (), (), 2.0)
        parts = Parts(
            store=self.store,
            table=self.table,
            discovery=Discovery(self.table),
            observer=Observer(self.store, Scraper(session), now=lambda: NOW),
            applier=Applier(self.cluster),
            status=StatusWriter(self.cluster),
            recorder=Recorder(self.cluster, "me"),
            census=Census(Metrics()),
        )
        self.reconciler = Reconciler(
            parts,
            make_plan=self._make_plan,
            render=RenderSettings("predictor"),
            router=RouterSettings("router", "xds", 18000),
            now=lambda: NOW,
            queue_key=self.queued.append,
        )

    def put_deployment(self, **metadata: Any) -> None:
        """A ModelDeployment is there."""
        body = {
            "apiVersion": "tidegate.io/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {
                "name": "fraud",
                "namespace": "shop",
                "uid": "u1",
                "resourceVersion": "1",
                **metadata,
            },
            "spec": {"modelVersion": "fraud-2"},
        }
        self.store.put(Kind.MODEL_DEPLOYMENT, body)

    async def look(self) -> float | None:
        """One look at the ModelDeployment."""
        return await self.reconciler.reconcile(FRAUD)

    def _make_plan(self, snapshot: Snapshot, now: datetime, settings: RenderSettings) -> Plan:  # noqa: ARG002 - as the real one
        self.seen.append(snapshot)
        return self.plan


@pytest.fixture
async def world():
    """A ModelDeployment in a canary."""
    async with aiohttp.ClientSession() as session:
        world = World(session)
        world.put_deployment()
        yield world


async def test_a_new_split_is_stored_before_any_object_is_touched(world: World) -> None:
    world.plan = replace(world.plan, route=BACK, apply=(DEPLOYMENT,))
    assert await world.look() == 2.0
    assert world.cluster.asked == [
        "status ModelDeployment fraud",
        "apply Deployment fraud-2",
        "apply Service fraud",
    ]


async def test_a_look_that_changes_nothing_writes_nothing(world: World) -> None:
    await world.look()
    asked = list(world.cluster.asked)
    await world.look()
    assert world.cluster.asked == asked


async def test_a_candidate_is_taken_back_while_the_api_server_is_away(world: World) -> None:
    await world.look()
    world.cluster.away = True
    world.plan = replace(world.plan, route=BACK, status=served(Phase.ROLLED_BACK))
    with pytest.raises(ClusterError):
        await world.look()
    assert world.table.route_of("shop", "fraud") == BACK


async def test_the_next_look_goes_on_from_what_was_decided_though_it_could_not_be_stored(
    world: World,
) -> None:
    world.cluster.away = True
    world.plan = replace(world.plan, route=BACK, status=served(Phase.ROLLED_BACK))
    with pytest.raises(ClusterError):
        await world.look()
    world.cluster.away = False
    await world.look()
    assert world.seen[-1].deployment.status.phase is Phase.ROLLED_BACK
    assert world.cluster.statuses[-1]["phase"] == "RolledBack"


async def test_a_namesake_does_not_inherit_a_status(world: World) -> None:
    await world.look()
    world.put_deployment(uid="u2", resourceVersion="2")
    await world.look()
    assert world.seen[-1].deployment.status.phase is None


async def test_a_refusal_is_told_to_the_user(world: World) -> None:
    world.cluster.refuses = {"Deployment"}
    world.plan = replace(world.plan, apply=(DEPLOYMENT,))
    with pytest.raises(ClusterError, match="exceeded quota"):
        await world.look()
    assert "create Event NotApplied" in world.cluster.asked


async def test_a_deleted_model_loses_its_route_and_nothing_is_written(world: World) -> None:
    await world.look()
    asked = list(world.cluster.asked)
    world.store.drop(Kind.MODEL_DEPLOYMENT, {"metadata": {"name": "fraud", "namespace": "shop", "uid": "u1"}})
    assert await world.look() is None
    assert world.table.route_of("shop", "fraud") is None
    assert world.cluster.asked == asked


async def test_the_router_of_a_namespace_belongs_to_all_its_models(world: World) -> None:
    await world.reconciler.reconcile(Key("shop"))
    assert world.cluster.asked == [
        "apply ConfigMap tidegate-routes",
        "apply ConfigMap tidegate-router",
        "apply PodDisruptionBudget tidegate-router",
        "apply Deployment tidegate-router",
    ]


async def test_a_new_route_is_written_where_routers_remember_it(world: World) -> None:
    await world.look()
    assert world.queued == [Key("shop")]
