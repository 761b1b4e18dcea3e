"""Workloads: what Kubernetes says about the pods of a revision, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tidegate.history import read_history
from tidegate.pod import TerminationMessage
from tidegate_operator.observe.store import Body, name_of
from tidegate_operator.plan.facts import PodFact, Revision, Trouble, Workload
from tidegate_operator.plan.identity import HISTORY_ANNOTATION, PASSED_ANNOTATION, PROMOTED_ANNOTATION

_WAITING = {
    "ImagePullBackOff": Trouble.IMAGE_PULL,
    "ErrImagePull": Trouble.IMAGE_PULL,
    "InvalidImageName": Trouble.IMAGE_PULL,
    "ErrImageNeverPull": Trouble.IMAGE_PULL,
    "CreateContainerConfigError": Trouble.NOT_ALLOWED,
    "CreateContainerError": Trouble.NOT_ALLOWED,
}
_OUT_OF_MEMORY = "OOMKilled"
# What stands before the cause and is another one at each try: without cutting it off, the sentence would never rest.
_PULL_PREFIX = re.compile(
    r'^(Back-off pulling image "[^"]*":? ?|ErrImagePull: |rpc error: code = \w+ desc = )+'
)
_REFUSAL_PREFIX = re.compile(r'^pods "[^"]*" is forbidden: ')


def parse_workload(deployment: Body, pods: Iterable[Body]) -> Workload:
    """A revision's Deployment and its pods; pods on their way out no longer count."""
    living = [pod for pod in pods if not _is_going(pod)]
    refusal = find_condition(deployment, "ReplicaFailure")
    words = str(refusal.get("message", "")) if refusal.get("status") == "True" else ""
    return Workload(
        wanted=int(deployment["spec"].get("replicas", 1)),
        pods=tuple(parse_pod(pod) for pod in living),
        refusal=_REFUSAL_PREFIX.sub("", words),
    )


def parse_revision(body: Body) -> Revision:
    """A ControllerRevision as `plan.render` wrote it."""
    data = body["data"]
    annotations = body["metadata"].get("annotations") or {}
    history = read_history(annotations.get(HISTORY_ANNOTATION))
    return Revision(
        name=name_of(body),
        number=int(body["revision"]),
        model_version=data["modelVersion"],
        digest=data["digest"],
        template=data["deployment"],
        promoted=annotations.get(PROMOTED_ANNOTATION) == "true",
        history=history,
        recorded=history,
        passed=annotations.get(PASSED_ANNOTATION, ""),
    )


def takes_requests(pod: Body) -> bool:
    """Whether a pod is ready, and not on its way out."""
    return not _is_going(pod) and _is_ready(pod)


def _is_going(pod: Body) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _is_ready(pod: Body) -> bool:
    return find_condition(pod, "Ready").get("status") == "True"


def parse_pod(body: Body) -> PodFact:
    """One predictor pod and, if it is not ready, the reason as far as anyone told it."""
    container: Mapping[str, Any] = next(iter(body.get("status", {}).get("containerStatuses") or ()), {})
    ready = _is_ready(body)
    trouble, reason, message = (None, "", "") if ready else find_trouble(body, container)
    return PodFact(
        name=name_of(body),
        ready=ready,
        restarts=int(container.get("restartCount", 0)),
        running_since=find_start(container),
        trouble=trouble,
        reason=reason,
        message=message,
    )


def find_start(container: Mapping[str, Any]) -> datetime | None:
    """Since when a container runs; none while it does not."""
    started = ((container.get("state") or {}).get("running") or {}).get("startedAt")
    return datetime.fromisoformat(started) if started else None


def find_trouble(body: Body, container: Mapping[str, Any]) -> tuple[Trouble | None, str, str]:
    """What killed it comes first, then what the predictor said, then what Kubernetes is waiting for.

    How the last run ended still stands while the next one starts: without this, the reason would come and go with
    every restart.
    """
    state = container.get("state") or {}
    ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
    if ended.get("reason") == _OUT_OF_MEMORY:
        return Trouble.OUT_OF_MEMORY, _OUT_OF_MEMORY, ""
    if last_word := _read_last_word(ended.get("message", "")):
        return Trouble.START_FAILED, last_word.reason.value, last_word.message
    waiting = state.get("waiting") or {}
    if trouble := _WAITING.get(waiting.get("reason", "")):
        return trouble, waiting["reason"], _PULL_PREFIX.sub("", waiting.get("message", ""))
    if ended:
        return Trouble.CRASH_LOOP, str(ended.get("reason", "")), f"its last exit code was {ended['exitCode']}"
    scheduled = find_condition(body, "PodScheduled")
    if scheduled.get("reason") == "Unschedulable":
        # The scheduler goes on with what it tried to make room; its first sentence is the cause.
        return Trouble.UNSCHEDULABLE, "Unschedulable", str(scheduled.get("message", "")).partition(". ")[0]
    return None, "", ""


def _read_last_word(message: str) -> TerminationMessage | None:
    try:
        return msgspec.json.decode(message, type=TerminationMessage)
    except msgspec.DecodeError:
        return None


def find_condition(body: Body, kind: str) -> Mapping[str, Any]:
    """A condition of an object's status; empty if it has none of this kind."""
    conditions = body.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), {})
