"""Drills on routers alone: restarted while nobody could tell them anything, and the only one killed."""

from __future__ import annotations

from drills.faults import operators, roll
from drills.scene import GOOD, Scene


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
