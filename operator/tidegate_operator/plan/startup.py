"""Start-up: whether a revision's pods can take traffic, and in one sentence why they can't."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tidegate.pod import StartFailure
from tidegate_operator.evidence.trips import RESTARTS_TOLERATED
from tidegate_operator.plan.facts import PodFact, Trouble, Workload


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a revision does not start."""

    reason: str
    """A word for conditions: a `StartFailure` or a `Trouble`."""
    message: str
    """The sentence for the user, with what to do."""
    final: bool
    """Whether waiting can't help: the bytes are wrong, or the limits too small for them."""


def pods_needed(replicas: int, share: int) -> int:
    """Pods that a share of traffic (percent) needs of `replicas`, rounded up, never fewer than one."""
    return max(1, math.ceil(replicas * share / 100))


def find_obstacle(workload: Workload | None) -> Obstacle | None:
    """The worst thing that keeps a revision's pods from being ready; none while they are just starting."""
    if workload is None:
        return None
    if workload.refusal and not workload.pods:
        return Obstacle(Trouble.NOT_ALLOWED, f"no pod can be created: {workload.refusal}", final=False)
    found = [_explain(pod) for pod in workload.pods if not pod.ready and pod.trouble]
    return min(found, key=lambda obstacle: (not obstacle.final, obstacle.reason), default=None)


def _explain(pod: PodFact) -> Obstacle:
    match pod.trouble:
        case Trouble.START_FAILED:
            final = pod.reason in set(StartFailure) and StartFailure(pod.reason).terminal
            return Obstacle(pod.reason or Trouble.START_FAILED, pod.message, final=final)
        case Trouble.OUT_OF_MEMORY:
            return Obstacle(
                Trouble.OUT_OF_MEMORY,
                f"pod {pod.name} needed more memory than its limit and was killed; "
                "raise spec.serving.resources.limits.memory",
                final=True,
            )
        case Trouble.IMAGE_PULL:
            return Obstacle(
                Trouble.IMAGE_PULL, f"the image of pod {pod.name} can't be pulled: {pod.message}", final=False
            )
        case Trouble.UNSCHEDULABLE:
            return Obstacle(
                Trouble.UNSCHEDULABLE, f"no node takes pod {pod.name}: {pod.message}", final=False
            )
        case Trouble.NOT_ALLOWED:
            return Obstacle(Trouble.NOT_ALLOWED, f"pod {pod.name} can't start: {pod.message}", final=False)
        case _:
            return Obstacle(
                Trouble.CRASH_LOOP,
                f"pod {pod.name} ended {pod.restarts} times before it was ready; {pod.message or 'it left no word'}",
                final=pod.restarts > RESTARTS_TOLERATED,
            )
