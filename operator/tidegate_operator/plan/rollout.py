"""The rollout: one look at a candidate, and whether it waits, moves on, is promoted or is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tidegate.quantities import parse_seconds
from tidegate_operator.api.model_deployment import Inconclusive, Step, Strategy
from tidegate_operator.api.status import CheckStatus, Phase, RolloutStatus, StepCounts
from tidegate_operator.evidence.verdict import Finding, Verdict
from tidegate_operator.plan.course import Course, Reason, promote, say_time, seconds_since, take_back
from tidegate_operator.plan.facts import Snapshot, Traffic
from tidegate_operator.plan.judging import add_traffic, find_trip, judge
from tidegate_operator.plan.startup import (
    NOT_STARTED,
    Obstacle,
    find_begin,
    find_obstacle,
    find_router_obstacle,
    note_obstacle,
    pods_needed,
    recall_obstacle,
)

LOOK_SECONDS = 1.0  # a verdict is right at every look, so looking often costs only the scrape


def advance(course: Course, snapshot: Snapshot, now: datetime) -> Course:
    """The course after one look at its candidate: leaving a bad one comes before anything else."""
    course = replace(_count(course, snapshot), look_again_seconds=LOOK_SECONDS)
    if (gone := _leave_if_bad(course, snapshot, now)) is not None:
        return gone
    if snapshot.deployment.spec.paused:
        return course.saying(
            Phase.PAUSED, Reason.PAUSED, "spec.paused is true: the rollout holds where it is"
        )
    if not _is_ready(course, snapshot, _share(_current_step(course, snapshot))):
        return _wait_for_start(course, snapshot, now)
    course = _keep_in_mind(course, None)
    if not _steps(course, snapshot):
        return _finish(course, snapshot, now, because=_why_direct(course, snapshot))
    return _walk(course, snapshot, now)


def pods_wanted(course: Course, snapshot: Snapshot) -> int:
    """Pods of the candidate: enough for its step, and for the next one when this one is through."""
    replicas = snapshot.deployment.spec.serving.replicas
    step, steps = _current_step(course, snapshot), _steps(course, snapshot)
    index = course.rollout.step if course.rollout else 0
    shares = [_share(step)]
    if _is_through(course, snapshot):
        shares.append(_share(steps[index + 1]) if index + 1 < len(steps) else 100)
    return pods_needed(replicas, max(shares)) if replicas else 0


def _count(course: Course, snapshot: Snapshot) -> Course:
    """Adds what the routers saw since the last look to the step that the split belongs to."""
    rollout = course.rollout
    if rollout is None or not (course.weight or course.mirror) or not course.candidate or not course.stable:
        return course
    candidate = snapshot.traffic.get(course.candidate.revision, Traffic())
    stable = snapshot.traffic.get(course.stable.revision, Traffic())
    analysis = snapshot.deployment.spec.rollout.analysis
    *before, last = rollout.steps or (StepCounts(),)
    last = add_traffic(last, analysis, candidate=candidate, stable=stable)
    steps = (*before, last)
    checks = tuple(_show(finding) for finding in judge(steps, analysis))
    return replace(course, rollout=rollout.model_copy(update={"steps": steps, "checks": checks}))


def _leave_if_bad(course: Course, snapshot: Snapshot, now: datetime) -> Course | None:
    """Takes the candidate back on a trip, a Bad check, or a start that can't succeed; none if it may stay."""
    assert course.candidate
    workload = snapshot.workloads.get(course.candidate.revision)
    analysis = snapshot.deployment.spec.rollout.analysis
    rollout = course.rollout or RolloutStatus(started_at=say_time(now))
    exposed = bool(course.weight or course.mirror)
    if exposed and course.stable:
        limits = snapshot.deployment.spec.serving.resources.limits
        trip = find_trip(rollout, analysis, workload=workload, limits=limits)
        bad = next((check for check in rollout.checks if check.verdict == Verdict.BAD), None)
        if trip:
            return take_back(course, now, reason=trip.check, message=trip.reason)
        if bad:
            return take_back(course, now, reason=bad.name, message=bad.message)
    elif course.stable and (obstacle := find_obstacle(workload)) and obstacle.final:
        return take_back(course, now, reason=obstacle.reason, message=obstacle.message)
    return None


def _wait_for_start(course: Course, snapshot: Snapshot, now: datetime) -> Course:
    """Pods are missing for the next share: says why, and gives up when the start took too long.

    A candidate that something outside keeps from starting is not given up: it waits without traffic, so that a Secret
    that is mended needs no retry.
    """
    assert course.candidate
    version = course.candidate.model_version
    obstacle, late = _find_delay(course, snapshot, now)
    timeout = snapshot.deployment.spec.serving.startup.timeout
    course = _keep_in_mind(course, obstacle)
    outside = obstacle is not None and obstacle.outside
    message = _say_start(obstacle, late_after=timeout if late else "")
    if late and course.stable and not outside:
        reason = obstacle.reason if obstacle else Reason.START_TIMEOUT
        return take_back(course, now, reason=reason, message=message)
    words = f"{version} starts: {message}"
    reason = obstacle.reason if obstacle else Reason.START_TIMEOUT if late else Reason.STARTING
    stalled = late or bool(obstacle and obstacle.final)
    return course.saying(Phase.FAILED if stalled else Phase.STARTING, reason, words, stalled=stalled)


def _find_delay(course: Course, snapshot: Snapshot, now: datetime) -> tuple[Obstacle | None, bool]:
    """What keeps the candidate from being ready, and whether its start-up timeout is over."""
    assert course.candidate
    workload = snapshot.workloads.get(course.candidate.revision)
    obstacle = find_obstacle(workload)
    if obstacle is None and workload and workload.ready:
        answering = snapshot.routers if snapshot.is_open else 0
        obstacle = find_router_obstacle(snapshot.router, answering=answering)
    elif obstacle is None and course.rollout and course.rollout.waiting_for:
        obstacle = recall_obstacle(course.rollout.waiting_for)
    timeout = parse_seconds(snapshot.deployment.spec.serving.startup.timeout)
    exposed = bool(course.weight or course.mirror)
    late = not exposed and seconds_since(course.candidate.since, now) > timeout
    # While the API server is away nobody tells that a pod is ready. Without this, the first look after that would take
    # back a candidate that has long been.
    late = late and snapshot.seen_seconds > timeout
    if obstacle or not late:
        return obstacle, late
    began = find_begin(workload, now)
    # What has not run can't have been slow, and is not to blame.
    return (None, (now - began).total_seconds() > timeout) if began else (NOT_STARTED, True)


def _keep_in_mind(course: Course, obstacle: Obstacle | None) -> Course:
    """What a pod waits for stands until a pod is ready or says otherwise.

    Without this, the reason would come and go with pods that a node's end or a drain replaces: a new one has said
    nothing yet.
    """
    waiting_for = note_obstacle(obstacle)
    if course.rollout is None or course.rollout.waiting_for == waiting_for:
        return course
    return replace(course, rollout=course.rollout.model_copy(update={"waiting_for": waiting_for}))


def _say_start(obstacle: Obstacle | None, *, late_after: str) -> str:
    """What keeps pods from being ready; `late_after` is the start-up timeout if that is over, else empty."""
    if not late_after:
        return obstacle.message if obstacle else "its pods are not ready yet"
    late = f"not ready {late_after} after its start (spec.serving.startup.timeout)"
    if obstacle is None:
        return f"{late}; raise that if the model needs longer"
    return f"{late}: {obstacle.message}" + (
        "; it goes on by itself when that is mended" if obstacle.outside else ""
    )


def _walk(course: Course, snapshot: Snapshot, now: datetime) -> Course:
    """The candidate is up: puts its step's share in force, or goes on to the next one."""
    assert course.rollout
    rollout, steps = course.rollout, _steps(course, snapshot)
    if rollout.step_started_at is None:
        course = replace(
            course, rollout=rollout.model_copy(update={"restarts": _count_restarts(course, snapshot)})
        )
        return _begin_step(course, snapshot, 0, now, because=_why_ready(course, snapshot))
    if not _is_through(course, snapshot):
        return _hold(course, snapshot, now)
    if (waiting := _what_delays(course, snapshot, now)) is not None:
        return _say_where(course, snapshot, waiting)
    if rollout.step + 1 < len(steps):
        return _begin_step(course, snapshot, rollout.step + 1, now, because=_why_good(rollout))
    return _finish(course, snapshot, now, because=_why_good(rollout))


def _count_restarts(course: Course, snapshot: Snapshot) -> int:
    """Those of a start that had to wait for a Secret, say; without this, they would pass for a crash loop."""
    assert course.candidate
    workload = snapshot.workloads.get(course.candidate.revision)
    return max((pod.restarts for pod in workload.pods), default=0) if workload else 0


def _what_delays(course: Course, snapshot: Snapshot, now: datetime) -> str | None:
    """Why a step that is through can't be left yet: its least time, or pods for the share that comes next."""
    assert course.rollout
    rollout, steps = course.rollout, _steps(course, snapshot)
    started = rollout.step_started_at or say_time(now)
    if seconds_since(started, now) < parse_seconds(steps[rollout.step].hold):
        return "the step's hold is not over"
    following = steps[rollout.step + 1 : rollout.step + 2]
    share = _share(following[0]) if following else 100
    if not _is_ready(course, snapshot, share):
        return f"{share} % needs more pods than are ready"
    return None


def _begin_step(course: Course, snapshot: Snapshot, index: int, now: datetime, *, because: str) -> Course:
    assert course.rollout
    step = _steps(course, snapshot)[index]
    counts = (*course.rollout.steps, StepCounts()) if index else (StepCounts(),)
    rollout = course.rollout.model_copy(
        update={"step": index, "step_started_at": say_time(now), "steps": counts}
    )
    course = replace(course, rollout=rollout)
    course = course.routing(weight=step.weight or 0, mirror=step.mirror or 0, because=because)
    return _say_where(course, snapshot, "the step has begun")


def _hold(course: Course, snapshot: Snapshot, now: datetime) -> Course:
    """Not enough is known: waits, and when rollout.maxDuration is over does what the user chose for that."""
    assert course.rollout
    rules = snapshot.deployment.spec.rollout
    waiting = _what_is_missing(course, snapshot)
    if seconds_since(course.rollout.started_at, now) <= parse_seconds(rules.max_duration):
        return _say_where(course, snapshot, waiting, reason=Reason.WAITING)
    over = f"undecided after {rules.max_duration} (spec.rollout.maxDuration): {waiting}"
    if rules.on_inconclusive is Inconclusive.ROLLBACK:
        return take_back(course, now, reason=Reason.INCONCLUSIVE, message=over)
    if rules.on_inconclusive is Inconclusive.PROMOTE and _is_ready(course, snapshot, 100):
        return _finish(course, snapshot, now, because=f"spec.rollout.onInconclusive is Promote, {over}")
    return _say_where(course, snapshot, over, reason=Reason.INCONCLUSIVE)


def _finish(course: Course, snapshot: Snapshot, now: datetime, *, because: str) -> Course:
    keep_warm = parse_seconds(snapshot.deployment.spec.rollout.keep_warm)
    return promote(course, now, keep_warm_seconds=keep_warm, because=because)


def _is_through(course: Course, snapshot: Snapshot) -> bool:
    """Whether all checks are Good and the step itself has seen enough: silence never passes for health."""
    rollout = course.rollout
    if rollout is None or rollout.step_started_at is None or not rollout.steps:
        return False
    needed = snapshot.deployment.spec.rollout.analysis.min_requests_per_step
    seen = rollout.steps[-1].candidate_requests
    return seen >= needed and all(check.verdict == Verdict.GOOD for check in rollout.checks)


def _what_is_missing(course: Course, snapshot: Snapshot) -> str:
    assert course.rollout
    needed = snapshot.deployment.spec.rollout.analysis.min_requests_per_step
    seen = course.rollout.steps[-1].candidate_requests if course.rollout.steps else 0
    if seen < needed:
        return f"{seen} of {needed} requests seen in this step (spec.rollout.analysis.minRequestsPerStep)"
    open_checks = [
        f"{check.name}: {check.message}" for check in course.rollout.checks if check.verdict != Verdict.GOOD
    ]
    return "; ".join(open_checks)


def _is_ready(course: Course, snapshot: Snapshot, share: int) -> bool:
    """Whether enough pods are ready, and known to the routers as healthy, for a share of the traffic (percent).

    Routers learn of pods and of routes by separate requests. A later version finds its model's route there; a first
    one waits for it, and for a router that takes requests: who asked as soon as it is Ready would be told that there is
    no such model, or nothing at all.
    """
    assert course.candidate
    name = course.candidate.revision
    workload = snapshot.workloads.get(name)
    needed = pods_needed(snapshot.deployment.spec.serving.replicas, share)
    healthy = snapshot.traffic.get(name, Traffic()).healthy
    routed = course.stable is not None or (snapshot.routes_known and snapshot.is_open)
    return routed and workload is not None and workload.ready >= needed and healthy >= needed


def _steps(course: Course, snapshot: Snapshot) -> tuple[Step, ...]:
    """The steps that this candidate has to walk; none if it goes to 100 % as soon as it is ready."""
    return () if goes_directly(course, snapshot) else tuple(snapshot.deployment.spec.rollout.steps)


def goes_directly(course: Course, snapshot: Snapshot) -> bool:
    """Whether there is nothing to compare with, nothing to compare for, or the version has served before."""
    candidate = course.candidate.revision if course.candidate else None
    served = any(revision.name == candidate and revision.promoted for revision in snapshot.revisions)
    return course.stable is None or served or snapshot.deployment.spec.rollout.strategy is Strategy.IMMEDIATE


def _current_step(course: Course, snapshot: Snapshot) -> Step | None:
    steps, index = _steps(course, snapshot), course.rollout.step if course.rollout else 0
    return steps[min(index, len(steps) - 1)] if steps else None


def _share(step: Step | None) -> int:
    return 100 if step is None else step.weight or step.mirror or 100


def _say_where(
    course: Course, snapshot: Snapshot, waiting: str, *, reason: Reason = Reason.PROGRESSING
) -> Course:
    assert course.rollout
    assert course.candidate
    steps = _steps(course, snapshot)
    split = f"mirror {course.mirror} %" if course.mirror else f"weight {course.weight} %"
    place = f"step {course.rollout.step + 1} of {len(steps)}, {split}"
    phase = Phase.MIRRORING if course.mirror else Phase.CANARY
    return course.saying(phase, reason, f"{course.candidate.model_version} is at {place}: {waiting}")


def _show(finding: Finding) -> CheckStatus:
    return CheckStatus(name=finding.check, verdict=finding.verdict, message=finding.reason)


def _why_good(rollout: RolloutStatus) -> str:
    return (
        "; ".join(f"{check.name} {check.verdict}: {check.message}" for check in rollout.checks) or "no checks"
    )


def _why_ready(course: Course, snapshot: Snapshot) -> str:
    assert course.candidate
    workload = snapshot.workloads.get(course.candidate.revision)
    ready = workload.ready if workload else 0
    needed = pods_needed(snapshot.deployment.spec.serving.replicas, _share(_current_step(course, snapshot)))
    return f"{ready} pods of {course.candidate.revision} are ready, the step needs {needed}"


def _why_direct(course: Course, snapshot: Snapshot) -> str:
    if course.stable is None:
        return "it is the first version and its pods are ready"
    if snapshot.deployment.spec.rollout.strategy is Strategy.IMMEDIATE:
        return "spec.rollout.strategy is Immediate and its pods are ready"
    return "it has served before and its pods are ready"
