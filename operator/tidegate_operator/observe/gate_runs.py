"""Gate runs: what Kubernetes says about the Jobs that hold gates, in our words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from tidegate.gate_report import OwnReport, Report
from tidegate.gate_run import UnreadableReport, unpack_report
from tidegate.verdict import Verdict
from tidegate_operator.observe.store import Body, name_of
from tidegate_operator.observe.workloads import find_condition, find_start, find_trouble
from tidegate_operator.plan.facts import GateRun, OwnEnd, PodFact, Trouble
from tidegate_operator.plan.gate_job import GATES_CONTAINER, PREDICTOR_CONTAINER
from tidegate_operator.plan.own_gates import OWN_CONTAINER

_OUT_OF_MEMORY: Final = "OOMKilled"
_DEADLINE: Final = "DeadlineExceeded"
_VERDICTS: Final = {0: Verdict.GOOD, 1: Verdict.BAD}
_LONGEST: Final = 400
"""Characters of what a user's program says in one sentence."""

End = Mapping[str, Any]
"""How a container ended, as `state.terminated` has it."""


def parse_gate_run(job: Body, pods: Iterable[Body]) -> GateRun:
    """A Job and its pods, of which the latest counts: one that a node's drain ended is made anew."""
    name, failed = name_of(job), find_condition(job, "Failed")
    given_up = failed.get("status") == "True"
    pod = max(pods, key=lambda body: str(body["metadata"].get("creationTimestamp", "")), default=None)
    if pod is None:
        return (
            GateRun(name, failure=_say_given_up(failed), ended_at=_time_of(failed))
            if given_up
            else GateRun(name)
        )
    ends = _find_ends(pod)
    report, failure = _read_report(ends.get(GATES_CONTAINER))
    ended_at = max((str(end.get("finishedAt") or "") for end in ends.values()), default="")
    if not _has_ended(pod):
        ended_at = ""
    if given_up and report is None and (not ends or _ran_out_of_time(pod)):
        failure, ended_at = _say_given_up(failed, pod), ended_at or _time_of(failed)
    own = {
        int(container.removeprefix(OWN_CONTAINER)): _read_own(end)
        for container, end in ends.items()
        if container.startswith(OWN_CONTAINER)
    }
    predictor = replace(parse_gate_predictor(pod), ready=False)  # it answers the gates alone
    return GateRun(name, predictor, report, own, failure, ended_at)


def _find_ends(pod: Body) -> dict[str, End]:
    """How those containers ended that have, but for the predictor."""
    ends = {
        str(container["name"]): (container.get("state") or {}).get("terminated") or {}
        for container in _statuses(pod)
        if container.get("name") != PREDICTOR_CONTAINER
    }
    return {name: end for name, end in ends.items() if end}


def _has_ended(pod: Body) -> bool:
    """Whether nothing more comes of a pod: all containers but those that come before have ended, or it has failed."""
    status = pod.get("status", {})
    states = [container.get("state") or {} for container in status.get("containerStatuses") or ()]
    return status.get("phase") == "Failed" or (
        bool(states) and all("terminated" in state for state in states)
    )


def _statuses(pod: Body) -> Iterable[Mapping[str, Any]]:
    status = pod.get("status", {})
    return (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))


def parse_gate_predictor(pod: Body) -> PodFact:
    """The predictor beside the gates, ready once it has started.

    From then on only an end for want of memory is held against it.
    """
    container = next((one for one in _statuses(pod) if one.get("name") == PREDICTOR_CONTAINER), {})
    trouble, reason, message = find_trouble(pod, container)
    if container.get("started") and trouble is not Trouble.OUT_OF_MEMORY:
        trouble, reason, message = None, "", ""
    return PodFact(
        name_of(pod),
        ready=bool(container.get("started")) and trouble is None,
        restarts=int(container.get("restartCount", 0)),
        running_since=find_start(container),
        trouble=trouble,
        reason=reason,
        message=message,
    )


def _read_report(end: End | None) -> tuple[Report | None, str]:
    if end is None:
        return None, ""
    if end.get("exitCode") == 0:
        try:
            return unpack_report(str(end.get("message", "")).encode()), ""
        except UnreadableReport as error:
            return None, str(error)
    if end.get("reason") == _OUT_OF_MEMORY:
        return None, "the gates needed more memory than the pod that holds them has; give fewer rows"
    return (
        None,
        f"the gates ended with exit code {end.get('exitCode')}: {_last_line(end) or 'nothing was said'}",
    )


def _read_own(end: End) -> OwnEnd:
    """The verdict of a user's program, and what it says: JSON, or the last line of anything else."""
    code = end.get("exitCode")
    try:
        report = msgspec.json.decode(str(end.get("message", "")), type=OwnReport)
    except msgspec.DecodeError:
        why = "it needed more memory than it has" if end.get("reason") == _OUT_OF_MEMORY else _last_line(end)
        report = OwnReport(why or f"it says nothing, and its exit code is {code}")
    return OwnEnd(_VERDICTS.get(int(code or 0), Verdict.NOT_ENOUGH), report)


def _last_line(end: End) -> str:
    return str(end.get("message", "")).strip().rpartition("\n")[2][:_LONGEST]


def _say_given_up(failed: Mapping[str, Any], pod: Body | None = None) -> str:
    """Why a Job was given up, in Kubernetes' words."""
    if failed.get("reason") == _DEADLINE or (pod and _ran_out_of_time(pod)):
        return "the gates were not done in the time that they have"
    return (
        f"the gates could not be held: {failed.get('message') or failed.get('reason') or 'no reason is told'}"
    )


def _ran_out_of_time(pod: Body) -> bool:
    return bool(pod.get("status", {}).get("reason") == _DEADLINE)


def _time_of(condition: Mapping[str, Any]) -> str:
    return str(condition.get("lastTransitionTime", ""))
