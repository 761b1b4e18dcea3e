"""The transitions: every change of state that a ModelDeployment's plan can pass through, found by asking the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.unit.plan.world import Behaviour, World

from drills.scene import ANOTHER, BAD, GOOD, STABLE, WEIGHTS

KEEP_WARM: Final = "10s"
# What a user does, one after another; each wish is played until nothing changes any more, the last one is
# taken back in the middle.
WISHES: Final = (STABLE, GOOD, BAD, ANOTHER, GOOD)
_SETTLED_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Place:
    """What the status says about who gets which share: the part of it that a crash must not confuse."""

    stable: str = ""
    candidate: str = ""
    weight: int = 0
    mirror: int = 0
    warm: str = ""

    def __str__(self) -> str:
        """As the gate's policy writes it."""
        return f"{self.stable}|{self.candidate}|{self.weight}|{self.mirror}|{self.warm}"


@dataclass(frozen=True, slots=True)
class Transition:
    """From one place to another, after the user has asked for `wish`."""

    wish: str
    before: Place
    after: Place

    @property
    def name(self) -> str:
        """In a user's words."""
        before, after = self.before, self.after
        if after.stable != before.stable:
            return f"{after.stable} {'is promoted' if before.stable else 'serves first'}"
        if after.candidate != before.candidate and after.candidate:
            return f"{after.candidate} begins"
        if before.candidate and not after.candidate:
            return (
                f"{before.candidate} {'is taken back' if self.wish == before.candidate else 'is withdrawn'}"
            )
        if (after.weight, after.mirror) != (before.weight, before.mirror):
            return f"{after.candidate} gets {f'mirror {after.mirror}' if after.mirror else f'weight {after.weight}'}"
        return f"{before.warm} cools"


def read_place(status: Mapping[str, Any]) -> Place:
    """The place of a status."""
    traffic = (status.get("traffic") or {}).get("desired") or {}
    names = {
        role: (status.get(role) or {}).get("modelVersion", "") for role in ("stable", "candidate", "warm")
    }
    return Place(**names, weight=traffic.get("candidateWeight", 0), mirror=traffic.get("mirror", 0))


def find_transitions() -> list[Transition]:
    """All that the plan passes through while the wishes are fulfilled, each transition once and in its order."""
    found: dict[tuple[Place, Place], Transition] = {}
    for transition in _play():
        found.setdefault((transition.before, transition.after), transition)
    return list(found.values())


def _play() -> Iterator[Transition]:
    world = World()
    for name in dict.fromkeys(WISHES):
        world.version(name, Behaviour(failing=0.07 if name == BAD else 0.0))
    steps = [{"mirror": 100, "hold": "1s"}, *({"weight": weight, "hold": "1s"} for weight in WEIGHTS)]
    place = Place()
    for index, wish in enumerate(WISHES):
        world.apply(modelVersion=wish, rollout={"steps": steps, "keepWarm": KEEP_WARM})
        for _ in range(_SETTLED_SECONDS):
            world.play(1)
            now = read_place(world.status)
            if now != place:
                yield Transition(wish, place, now)
            place = now
            if index == len(WISHES) - 2 and now.weight:
                break  # the next wish comes in mid-canary
