"""A machine whose clock is moved by ten minutes, at any moment of a rollout: no decision comes out otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.plan.world import START, Behaviour, World

from tidegate_operator.main.clock import SteadyClock

QUICK = {
    "steps": [{"mirror": 100, "hold": "10s"}, {"weight": 20, "hold": "10s"}, {"weight": 50, "hold": "10s"}]
}
SECONDS = 150
MOMENTS = (12, 20, 30, 40, 50)


def play(behaviour: Behaviour, *, moved_at: int, minutes: int) -> World:
    """A rollout from v1 to v2, with a look each second by the operator's clock."""
    passed = 0

    def read_wall():
        return START + timedelta(seconds=passed, minutes=minutes if passed >= moved_at else 0)

    clock = SteadyClock(read_wall, lambda: float(passed))
    world = World().version("v1").version("v2", behaviour).apply(modelVersion="v1", rollout=QUICK)
    for passed in range(1, SECONDS):
        if passed == 10:
            world.apply(modelVersion="v2")
        world.play(1)
        world.now = clock.now()
    return world


@pytest.mark.parametrize("minutes", [10, -10])
@pytest.mark.parametrize("moved_at", MOMENTS)
def test_a_good_candidate_is_promoted_all_the_same(moved_at: int, minutes: int) -> None:
    world = play(Behaviour(start_seconds=8), moved_at=moved_at, minutes=minutes)
    assert (world.last.status.version, world.last.status.rejected) == ("v2", ())


@pytest.mark.parametrize("minutes", [10, -10])
@pytest.mark.parametrize("moved_at", MOMENTS)
def test_a_bad_candidate_is_taken_back_all_the_same(moved_at: int, minutes: int) -> None:
    world = play(Behaviour(failing=0.1), moved_at=moved_at, minutes=minutes)
    assert world.last.status.version == "v1"
    assert [entry.reason for entry in world.last.status.rejected] == ["ErrorRate"]
