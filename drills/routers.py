"""Drills on routers alone: restarted while nobody could tell them anything, and the only one killed."""

from __future__ import annotations

from typing import Final

from drills.faults import ROUTERS, kill_a_router, operators, roll
from drills.scene import GOOD, Scene

_OPERATOR: Final = "deployment/tidegate-operator"


def router_restarted_while_operator_away(scene: Scene) -> None:
    """Both routers are replaced while nobody leads: they come up with the last known routes."""
    scene.begin_canary()
    with scene.fault(), operators(scene, 0):
        roll(scene, "deployment/tidegate-router")
        before = scene.count_answers(GOOD)
        scene.pause(5)
        assert scene.count_answers(GOOD) > before, "the candidate's weight is gone"
    scene.until_led()
    scene.recovered()
    scene.finish_canary()


def only_router_killed(scene: Scene) -> None:
    """A namespace with one router loses it: until its container runs again, nobody could have answered."""
    _set_routers(scene, 1)
    with scene.fault():
        kill_a_router(scene)
    scene.pause(3)
    scene.until_all_ready(scene.routers, 1)
    scene.recovered()
    _set_routers(scene, ROUTERS)


def _set_routers(scene: Scene, count: int) -> None:
    system = scene.stage.system
    system.run("set", "env", _OPERATOR, f"TIDEGATE_ROUTER_REPLICAS={count}")
    system.run("rollout", "status", _OPERATOR, "--timeout=110s")
    scene.until_all_ready(scene.routers, count)
