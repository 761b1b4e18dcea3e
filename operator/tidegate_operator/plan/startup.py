"""Start-up: whether a revision's pods can take traffic, and in one sentence why they can't."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tidegate.pod import StartFailure
from tidegate_operator.api.status import Waiting
from tidegate_operator.evidence.trips import RESTARTS_TOLERATED
from tidegate_operator.plan.course import Reason
from tidegate_operator.plan.facts import PodFact, Trouble, Workload


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a revision does not start."""

    reason: str
    """A word for conditions: a `StartFailure` or a `Trouble`."""
    message: str
    """The sentence for the user, with what to do."""
    final: bool = False
    """Whether waiting can't help: the bytes are wrong, or the limits too small for them."""
    outside: bool = False
    """Whether the version is not to blame (a store, a Secret, a quota, a node): it starts when that is mended."""


# With one pod, whatever ends it costs the candidate's requests, and puts them on its account besides.
LEAST_PODS = 2


def pods_needed(replicas: int, share: int) -> int:
    """Pods that a share of traffic (percent) needs of `replicas`, rounded up; never fewer than two, if it has two."""
    return max(1, min(replicas, max(LEAST_PODS, math.ceil(replicas * share / 100))))


def find_obstacle(workload: Workload | None) -> Obstacle | None:
    """The worst thing that keeps a revision's pods from being ready; none while they are just starting."""
    if workload is None:
        return None
    found = [_explain(pod) for pod in workload.pods if not pod.ready and pod.trouble]
    if workload.refusal and len(workload.pods) < workload.wanted:
        words = f"pods can't be created: {workload.refusal}"
        found.append(Obstacle(Trouble.NOT_ALLOWED, words, outside=True))
    return min(found, key=lambda obstacle: (not obstacle.final, obstacle.reason), default=None)


def note_obstacle(obstacle: Obstacle | None) -> Waiting | None:
    """An obstacle as status keeps it; none unless a pod has said that it waits for something outside.

    What Kubernetes says (no node, no image) it says again of each new pod, and takes back by itself.
    """
    if obstacle is None or not obstacle.outside or obstacle.reason not in set(StartFailure):
        return None
    return Waiting(reason=obstacle.reason, message=obstacle.message)


def recall_obstacle(waiting: Waiting) -> Obstacle:
    """The obstacle that status keeps."""
    return Obstacle(waiting.reason, waiting.message, outside=True)


def find_router_obstacle(router: Workload | None, *, answering: int) -> Obstacle | None:
    """Why pods that are ready get no requests: no router of the namespace answers."""
    if answering:
        return None
    found = find_obstacle(router)
    return Obstacle(found.reason if found else Reason.ROUTER_AWAY, say_closed(router), outside=True)


def say_closed(router: Workload | None) -> str:
    """That no router answers and, as far as anyone told it, why."""
    found = find_obstacle(router)
    why = f": {found.message}" if found else ""
    return f"its pods are ready, but no router of the namespace answers{why}"


def find_begin(workload: Workload | None, now: datetime) -> datetime | None:
    """When the last container began to run, which is when the start-up timeout begins; none before the first runs.

    Without this, a candidate that waited for an hour for a node would be late at the moment it gets one.
    """
    pods = workload.pods if workload else ()
    # A node's clock may be ahead of ours.
    return max((min(pod.running_since, now) for pod in pods if pod.running_since), default=None)


NOT_STARTED = Obstacle(
    Reason.NOT_STARTED, "no container of it has run yet; the events of its pods say why", outside=True
)


def _explain(pod: PodFact) -> Obstacle:
    match pod.trouble:
        case Trouble.START_FAILED:
            failure = StartFailure(pod.reason)
            return Obstacle(failure, pod.message, final=failure.terminal, outside=failure.outside)
        case Trouble.OUT_OF_MEMORY:
            return Obstacle(
                Trouble.OUT_OF_MEMORY,
                f"pod {pod.name} needed more memory than its limit and was killed; "
                "raise spec.serving.resources.limits.memory",
                final=True,
            )
        case Trouble.IMAGE_PULL:
            words = f"the image of pod {pod.name} can't be pulled: {pod.message or 'no reason is told'}"
            return Obstacle(Trouble.IMAGE_PULL, words, outside=True)
        case Trouble.UNSCHEDULABLE:
            words = "; ".join([f"no node takes pod {pod.name}: {pod.message}", *_find_mends(pod.message)])
            return Obstacle(Trouble.UNSCHEDULABLE, words, outside=True)
        case Trouble.NOT_ALLOWED:
            return Obstacle(Trouble.NOT_ALLOWED, f"pod {pod.name} can't start: {pod.message}", outside=True)
        case _:
            words = f"pod {pod.name} ends before it is ready, {pod.restarts} restarts so far; {pod.message}"
            return Obstacle(Trouble.CRASH_LOOP, words, final=pod.restarts > RESTARTS_TOLERATED)


# What the scheduler says of nodes, and what a user can do about it. Taints of Kubernetes' own (a node that is not
# ready, say) are no choice of the user's.
_MENDS = (
    (r"Insufficient", "lower spec.serving.resources.requests, or make room"),
    (r"node affinity/selector", "label a node as spec.serving.nodeSelector wants it, or change that"),
    (
        r"untolerated taint(?!.*node\.kubernetes\.io/)",
        "name the taint in spec.serving.tolerations, or take it off a node",
    ),
)


def _find_mends(message: str) -> Iterator[str]:
    return (mend for words, mend in _MENDS if re.search(words, message))
