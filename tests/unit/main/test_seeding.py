"""The routes that a new leader starts with: what status says was in force, and nothing else."""

from __future__ import annotations

from tests.unit.main.bodies import model_deployment

from tidegate_operator.api.status import ModelDeploymentStatus, RevisionStatus
from tidegate_operator.main.seeding import read_route, seed_routes
from tidegate_operator.observe.store import Kind, Store
from tidegate_operator.plan.plan import Route
from tidegate_operator.routing.table import RouteTable


def status(*, weight: int = 0, mirror: int = 0) -> ModelDeploymentStatus:
    """A rollout from fraud-1 to fraud-2 at this split."""
    stable, candidate = (
        RevisionStatus(revision=name, model_version=name, digest="sha256:1", since="2026-01-01T00:00:00Z")
        for name in ("fraud-1", "fraud-2")
    )
    split = {"desired": {"candidateWeight": weight, "mirror": mirror}}
    return ModelDeploymentStatus.model_validate(
        {"stable": stable, "candidate": candidate, "traffic": split, "phase": "Canary"}
    )


def test_a_split_goes_on_as_it_was_stored() -> None:
    assert read_route(status(weight=5)) == Route("fraud-1", "fraud-2", weight=5)
    assert read_route(status(mirror=100)) == Route("fraud-1", "fraud-2", mirror=100)


def test_a_candidate_without_traffic_is_left_for_the_plan_to_name() -> None:
    assert read_route(status()) == Route("fraud-1")


def test_before_the_first_version_serves_there_is_no_route() -> None:
    assert read_route(ModelDeploymentStatus()) is None


def test_a_share_without_a_candidate_is_nobodys() -> None:
    left = status(weight=5).model_copy(update={"candidate": None})
    assert read_route(left) == Route("fraud-1")


def test_what_is_kept_warm_stays_known_to_routers() -> None:
    promoted = ModelDeploymentStatus(stable=status().candidate, warm=status().stable)
    assert read_route(promoted) == Route("fraud-2", warm=("fraud-1",))


def test_every_model_that_serves_is_put_in_force_and_counted() -> None:
    store, table = Store(), RouteTable()
    document = status(weight=5).model_dump(mode="json", by_alias=True, exclude_none=True)
    store.put(Kind.MODEL_DEPLOYMENT, model_deployment(status=document))
    store.put(Kind.MODEL_DEPLOYMENT, model_deployment("new"))
    assert seed_routes(store, table, None) == 1
    assert table.route_of("shop", "fraud") == Route("fraud-1", "fraud-2", weight=5)
