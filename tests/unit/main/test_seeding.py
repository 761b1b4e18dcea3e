"""The routes that a new leader starts with: what status says was in force, and nothing else."""

from __future__ import annotations

from tidegate_operator.api.status import ModelDeploymentStatus, RevisionStatus
from tidegate_operator.main.seeding import read_route
from tidegate_operator.plan.plan import Route


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
