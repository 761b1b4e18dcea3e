"""Gating: whether a candidate has shown what its gates ask for, before it gets pods that could answer anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tidegate.gate_report import GateResult, worst
from tidegate.gates import Gate
from tidegate.history import Place
from tidegate.pod import StartFailure
from tidegate.verdict import Verdict
from tidegate_operator.api.status import GatesStatus, GateStatus, Phase
from tidegate_operator.plan.course import Course, Ended, Reason, block, enter
from tidegate_operator.plan.facts import GateRun, Revision, Snapshot, Workload
from tidegate_operator.plan.identity import RETRY_ANNOTATION, name_gate_run
from tidegate_operator.plan.plan import Event
from tidegate_operator.plan.startup import Obstacle, find_obstacle

LOOK_SECONDS = 30.0  # what a run does is told by its pod's watch; this is for a watch that missed it
START = "start"
"""What is said in place of gates where the predictor could not be asked at all."""


def find_run(course: Course, snapshot: Snapshot) -> str:
    """The run of gates that the candidate has to pass."""
    assert course.candidate
    stable = course.stable.revision if course.stable else ""
    return name_gate_run(snapshot.deployment, course.candidate.revision, stable)


def are_open(course: Course, snapshot: Snapshot) -> bool:
    """Whether nothing stands before the candidate's pods (any more).

    A revision that has served is not asked again: going back to it must not wait for anything. Nor is one that has
    traffic already, whatever is written into `spec.gates` meanwhile.
    """
    assert course.candidate
    if not snapshot.deployment.spec.gates or (course.rollout and course.rollout.step_started_at):
        return True
    revision = _find_revision(course, snapshot)
    if revision and revision.promoted:
        return True
    run = find_run(course, snapshot)
    told = course.gates
    return bool(revision and revision.passed == run) or (
        told is not None and told.run == run and told.verdict == Verdict.GOOD
    )


def look_at_gates(course: Course, snapshot: Snapshot, wanted: Revision, now: datetime) -> Course:
    """The course after one look at the gates of its candidate."""
    assert course.candidate
    version, run = course.candidate.model_version, find_run(course, snapshot)
    if snapshot.deployment.spec.paused:
        return course.saying(Phase.PAUSED, Reason.PAUSED, "spec.paused is true: no gate is held")
    course, told = replace(course, look_again_seconds=LOOK_SECONDS), course.gates
    if told is None or told.run != run:
        told = _begin(course, run)
        names = ", ".join(gate.name for gate in snapshot.deployment.spec.gates)
        course = replace(course, gates=told).noting("gates", f"run {run}", f"spec.gates asks for {names}")
    if told.verdict is None:
        found = snapshot.gate_runs.get(run)
        results = _find_hindrance(told, snapshot) or (
            conclude_run(found, snapshot.deployment.spec.gates) if found else None
        )
        if results is None:
            return course.saying(Phase.QUALIFYING, Reason.QUALIFYING, _say_running(version, found))
        told = told.model_copy(update=_tell(results))
        course = replace(course, gates=told).noting("gates", str(told.verdict), say_results(told))
    return _go_by(course, told, wanted, now)


def _go_by(course: Course, told: GatesStatus, wanted: Revision, now: datetime) -> Course:
    words = say_results(told)
    if told.verdict == Verdict.GOOD:
        # Its pods start now: what is late is counted from here, and so is rollout.maxDuration.
        course = course.ending(Place.CANDIDATE, Ended.QUALIFIED, words)
        event = Event("Normal", "GatesPassed", f"{told.model_version} has passed its gates: {words}")
        return enter(course, wanted, now).telling(event)
    if told.verdict == Verdict.BAD:
        return block(course, now, message=words, gate_run=told.run)
    message = (
        f"{told.model_version} gets no traffic, its gates can't tell: {words}; mend that and try it again with the "
        f"annotation {RETRY_ANNOTATION}, or apply other gates or another version"
    )
    return course.saying(Phase.BLOCKED, Reason.GATES_UNDECIDED, message, stalled=True)


def conclude_run(run: GateRun, gates: tuple[Gate, ...]) -> tuple[GateResult, ...] | None:
    """What a run of these gates says; none while it goes on, or if it has to be run again."""
    predictor = run.predictor
    obstacle = find_obstacle(Workload(wanted=1, pods=(predictor,))) if predictor else None
    if obstacle and obstacle.reason == "OutOfMemory":
        words = f"under its limits the version can't serve: {_without_pod(obstacle, run)}"
        return (GateResult(START, Verdict.BAD, words), *_results_of(run))
    if (results := _find_results(run, gates)) is not None:
        return results
    if obstacle and (obstacle.final or obstacle.reason == StartFailure.START_TIMEOUT):
        return (GateResult(START, Verdict.BAD, f"the version does not start: {_without_pod(obstacle, run)}"),)
    if run.ended_at and not (obstacle and obstacle.outside):
        why = run.failure or "the gates ended, and some of them said nothing"
        return (*_results_of(run), GateResult(START, Verdict.NOT_ENOUGH, why))
    return None


def is_over(run: GateRun, gates: tuple[Gate, ...]) -> bool:
    """Whether its Job is of no more use."""
    return bool(run.ended_at) or conclude_run(run, gates) is not None


def _find_results(run: GateRun, gates: tuple[Gate, ...]) -> tuple[GateResult, ...] | None:
    """What all gates say; none as long as one of them has not ended."""
    own = [gate for gate in gates if gate.is_own]
    if len(own) < len(gates) and run.report is None:
        return None
    if any(place not in run.own for place in range(len(own))):
        return None
    ended = [(gate, run.own[place]) for place, gate in enumerate(own)]
    of_own = (
        GateResult(gate.name, end.verdict, end.report.message, end.report.findings) for gate, end in ended
    )
    return (*_results_of(run), *of_own)


def say_results(told: GatesStatus) -> str:
    """The sentences of those gates that decide; of all, where all are Good."""
    decisive = [result for result in told.results if result.verdict == told.verdict]
    return "; ".join(_say_result(result) for result in decisive)


def _say_result(result: GateStatus) -> str:
    return result.message if result.gate == START else f"{result.gate}: {result.message}"


def _find_hindrance(told: GatesStatus, snapshot: Snapshot) -> tuple[GateResult, ...] | None:
    """Why no run can be begun. Without this, a candidate would pass as one that there is nothing to compare with."""
    if told.stable is None or any(revision.name == told.stable for revision in snapshot.revisions):
        return None
    words = f"the record of what serves is gone (ControllerRevision {told.stable}), so nothing can be compared with it"
    return (GateResult(START, Verdict.NOT_ENOUGH, words),)


def _begin(course: Course, run: str) -> GatesStatus:
    assert course.candidate
    return GatesStatus(
        run=run,
        model_version=course.candidate.model_version,
        revision=course.candidate.revision,
        stable=course.stable.revision if course.stable else None,
    )


def _results_of(run: GateRun) -> tuple[GateResult, ...]:
    return run.report.results if run.report else ()


def _tell(results: tuple[GateResult, ...]) -> dict[str, object]:
    shown = tuple(
        GateStatus(gate=result.gate, verdict=result.verdict, message=result.message) for result in results
    )
    return {"verdict": str(worst(result.verdict for result in results)), "results": shown}


def _say_running(version: str, run: GateRun | None) -> str:
    obstacle = find_obstacle(Workload(wanted=1, pods=(run.predictor,))) if run and run.predictor else None
    if obstacle:
        return f"the gates of {version} wait: {obstacle.message}"
    if run and run.predictor is None:
        return f"the gates of {version} wait for a pod; the events of Job {run.name} say why if it takes long"
    return f"{version} is held against its gates, and gets no traffic before it has passed them"


def _without_pod(obstacle: Obstacle, run: GateRun) -> str:
    """The sentence without the name of a pod that is gone when somebody reads it."""
    assert run.predictor
    return obstacle.message.replace(f"pod {run.predictor.name}", "its predictor")


def _find_revision(course: Course, snapshot: Snapshot) -> Revision | None:
    assert course.candidate
    name = course.candidate.revision
    return next((revision for revision in snapshot.revisions if revision.name == name), None)
