"""Gate runs: what Kubernetes says about the Jobs that hold gates, in our words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tidegate.gate_run import UnreadableReport, unpack_report
from tidegate_operator.observe.store import Body, name_of
from tidegate_operator.observe.workloads import find_condition, find_start, find_trouble
from tidegate_operator.plan.facts import GateRun, PodFact, Trouble
from tidegate_operator.plan.gate_job import GATES_CONTAINER

_OUT_OF_MEMORY = "OOMKilled"


def parse_gate_run(job: Body, pods: Iterable[Body]) -> GateRun:
    """A Job and its pods, of which the latest counts: one that a node's drain ended is made anew."""
    run = GateRun(name_of(job))
    pod = max(pods, key=lambda body: str(body["metadata"].get("creationTimestamp", "")), default=None)
    failed = find_condition(job, "Failed")
    if pod is None:
        if failed.get("status") != "True":
            return run
        return GateRun(run.name, failure=_say_failed(failed), ended_at=_time_of(failed))
    ended = _find_end(pod)
    report, failure = _read_end(ended)
    ended_at = str(ended.get("finishedAt") or "") if ended else ""
    if not ended and failed.get("status") == "True":
        failure, ended_at = _say_failed(failed, pod), _time_of(failed)
    return GateRun(run.name, _parse_predictor(pod), report, failure, ended_at)


def _parse_predictor(pod: Body) -> PodFact:
    """The predictor beside the gates. Once it has started, only an end for want of memory is still held against it."""
    container = _first(pod, "initContainerStatuses")
    trouble, reason, message = find_trouble(pod, container)
    if container.get("started") and trouble is not Trouble.OUT_OF_MEMORY:
        trouble, reason, message = None, "", ""
    return PodFact(
        name_of(pod),
        ready=False,
        restarts=int(container.get("restartCount", 0)),
        running_since=find_start(container),
        trouble=trouble,
        reason=reason,
        message=message,
    )


def _find_end(pod: Body) -> Mapping[str, Any]:
    """How the container that holds the gates ended; empty: it has not."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    for container in statuses:
        if container.get("name") == GATES_CONTAINER:
            ended: Mapping[str, Any] = (container.get("state") or {}).get("terminated") or {}
            return ended
    return {}


def _read_end(ended: Mapping[str, Any]) -> tuple[Any, str]:
    if not ended:
        return None, ""
    if ended.get("exitCode") == 0:
        try:
            return unpack_report(str(ended.get("message", "")).encode()), ""
        except UnreadableReport as error:
            return None, str(error)
    if ended.get("reason") == _OUT_OF_MEMORY:
        return None, "the gates needed more memory than the pod that holds them has; give fewer rows"
    last_words = str(ended.get("message", "")).strip().rpartition("\n")[2][:300]
    return None, f"the gates ended with exit code {ended.get('exitCode')}: {last_words or 'nothing was said'}"


def _say_failed(failed: Mapping[str, Any], pod: Body | None = None) -> str:
    """Why a Job was given up, in Kubernetes' words."""
    reason = (pod or {}).get("status", {}).get("reason")
    if "DeadlineExceeded" in {reason, failed.get("reason")}:
        return "the gates were not done in the time that they have"
    return (
        f"the gates could not be held: {failed.get('message') or failed.get('reason') or 'no reason is told'}"
    )


def _time_of(condition: Mapping[str, Any]) -> str:
    return str(condition.get("lastTransitionTime", ""))


def _first(pod: Body, statuses: str) -> Mapping[str, Any]:
    return next(iter(pod.get("status", {}).get(statuses) or ()), {})
