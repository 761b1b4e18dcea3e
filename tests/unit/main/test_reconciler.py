"""The reconciler: the route first, the status before any pod goes, and decisions that outlive an absent API server."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
import pytest
from tests.unit.main.world import World

from tidegate_operator.act.cluster import ClusterError
from tidegate_operator.api.status import ModelDeploymentStatus, Phase, RevisionStatus
from tidegate_operator.observe.store import Key, Kind
from tidegate_operator.plan.plan import Plan, Route

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


@pytest.fixture
async def world():
    """A ModelDeployment in a canary."""
    async with aiohttp.ClientSession() as session:
        world = World(session, told=Plan(CANARY, (), (), served(Phase.CANARY), (), (), 2.0))
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
