"""The course of a ModelDeployment: who is stable, who is candidate, and which share of traffic each should have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tidegate.history import Place
from tidegate_operator.api.status import (
    GatesStatus,
    ModelDeploymentStatus,
    Phase,
    Rejection,
    RevisionStatus,
    RolloutStatus,
)
from tidegate_operator.plan.facts import Revision
from tidegate_operator.plan.plan import Event, Note

REJECTIONS_KEPT = 10  # status is bounded; the oldest rejections are the least likely to be applied again


class Reason(StrEnum):
    """Reasons of the conditions, as users see them."""

    SERVING = "Serving"  # the version of the spec answers all requests
    STARTING = "Starting"  # pods of the wanted version are not ready yet
    NOT_STARTED = "NotStarted"  # the timeout is over, and nothing of the version has run yet
    START_TIMEOUT = "StartTimeout"  # they were not within spec.serving.startup.timeout
    ROUTER_AWAY = "RouterAway"  # pods are ready, but the namespace's router is not
    PROGRESSING = "Progressing"  # a candidate is being compared with stable
    WAITING = "WaitingForTraffic"  # the checks have not seen enough requests
    PAUSED = "Paused"  # spec.paused is true: nothing moves forward
    ROLLED_BACK = "RolledBack"  # the wanted version was taken back and stays rejected
    VERSION_NOT_FOUND = "ModelVersionNotFound"
    OTHER_MODEL = "OtherModel"  # the ModelVersion is of another model
    NOT_SIGNED = "NotSigned"  # a release policy wants a signature that the ModelVersion does not bear
    INCONCLUSIVE = "Inconclusive"  # rollout.maxDuration is over, and onInconclusive is Hold
    SCALED_TO_ZERO = "ScaledToZero"  # spec.serving.replicas is 0
    QUALIFYING = "Qualifying"  # the candidate is held against its gates
    GATE_FAILED = "GateFailed"  # a gate says Bad: the wanted version gets no traffic
    GATES_UNDECIDED = "GatesUndecided"  # a gate can't be evaluated, which is no pass
    NOT_APPLIED = "NotApplied"  # the API server refuses an object (quota, admission, rights)


class Ended(StrEnum):
    """How a stay ended; a candidate that was taken back has the name of the check, the trip or the obstacle."""

    PROMOTED = "Promoted"  # the candidate became stable
    REPLACED = "Replaced"  # another version became stable
    WITHDRAWN = "Withdrawn"  # the spec asked for another version, or a new policy for a signature
    QUALIFIED = "Qualified"  # its gates are Good, and its pods start
    UNSEEN = "Unseen"  # nobody was there to tell


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a stay, for the history of its revision."""

    revision: str
    place: Place
    since: str
    """When the stay began, as status had it."""
    reason: str
    """An `Ended`, or the reason of a rejection."""
    why: str
    at: str | None = None
    """When it ended (RFC 3339); none: in this look."""
    requests: int | None = None
    """What was counted of it; none: nothing was."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where a ModelDeployment stands; every decision turns one course into the next."""

    stable: RevisionStatus | None = None
    candidate: RevisionStatus | None = None
    warm: RevisionStatus | None = None
    """The former stable, whose pods stay up for rollout.keepWarm."""
    rollout: RolloutStatus | None = None
    gates: GatesStatus | None = None
    """What the gates say of the latest candidate."""
    rejected: tuple[Rejection, ...] = ()
    weight: int = 0
    mirror: int = 0
    phase: Phase = Phase.PENDING
    reason: Reason | str = Reason.STARTING
    message: str = ""
    stalled: bool = False
    ready: bool = False
    """Whether the version that the spec asks for serves all requests."""
    events: tuple[Event, ...] = ()
    notes: tuple[Note, ...] = ()
    endings: tuple[Ending, ...] = ()
    """Stays that end in this look."""
    look_again_seconds: float | None = None

    def noting(self, subject: str, change: str, because: str) -> Course:
        """The same course with one more note."""
        return replace(self, notes=(*self.notes, Note(subject, change, because)))

    def telling(self, event: Event) -> Course:
        """The same course with one more event."""
        return replace(self, events=(*self.events, event))

    def ending(self, place: Place, reason: str, why: str) -> Course:
        """The same course, which ends the stay of who has this place."""
        role = self.stable if place is Place.STABLE else self.candidate
        if role is None:
            return self
        steps = self.rollout.steps if self.rollout and place is Place.CANDIDATE else ()
        requests = sum(step.candidate_requests for step in steps) if steps else None
        end = Ending(role.revision, place, role.since, reason=reason, why=why, requests=requests)
        return replace(self, endings=(*self.endings, end))

    def saying(
        self, phase: Phase, reason: Reason | str, message: str, *, stalled: bool = False, ready: bool = False
    ) -> Course:
        """The same course in other words for the user."""
        return replace(self, phase=phase, reason=reason, message=message, stalled=stalled, ready=ready)

    def routing(self, *, weight: int = 0, mirror: int = 0, because: str) -> Course:
        """The same course with another split, noted if it differs."""
        if (weight, mirror) == (self.weight, self.mirror):
            return self
        change = _say_split(self.weight, self.mirror) + " → " + _say_split(weight, mirror)
        return replace(self, weight=weight, mirror=mirror).noting("route", f"candidate {change}", because)


def read_course(status: ModelDeploymentStatus) -> Course:
    """The course as status keeps it: all that is needed to resume after a crash."""
    desired = status.traffic.desired if status.traffic else None
    return Course(
        stable=status.stable,
        candidate=status.candidate,
        warm=status.warm,
        rollout=status.rollout,
        gates=status.gates,
        rejected=tuple(status.rejected),
        weight=desired.candidate_weight if desired else 0,
        mirror=desired.mirror if desired else 0,
        phase=status.phase or Phase.PENDING,
    )


def enter(course: Course, revision: Revision, now: datetime) -> Course:
    """The course with this revision as its candidate, from the beginning."""
    candidate = describe(revision, now)
    return replace(course, candidate=candidate, rollout=RolloutStatus(started_at=say_time(now)))


def promote(course: Course, now: datetime, *, keep_warm_seconds: float, because: str) -> Course:
    """The candidate becomes stable by a route flip onto the very pods that were tested."""
    assert course.candidate
    since = {"since": say_time(now)}
    promoted, former = course.candidate.model_copy(update=since), course.stable
    course = course.ending(Place.STABLE, Ended.REPLACED, f"{promoted.model_version} was promoted: {because}")
    course = course.ending(Place.CANDIDATE, Ended.PROMOTED, because)
    until = {"until": say_time(now + timedelta(seconds=keep_warm_seconds))}
    warm = former.model_copy(update=since | until) if former else None
    course = replace(course, stable=promoted, candidate=None, rollout=None, weight=0, mirror=0)
    course = replace(course, warm=warm if warm and keep_warm_seconds > 0 else None)
    event = Event("Normal", "Promoted", f"{promoted.model_version} serves all requests: {because}")
    return course.noting("route", f"{promoted.revision} → 100 %", because).telling(event)


def take_back(course: Course, now: datetime, *, reason: str, message: str) -> Course:
    """All traffic goes to stable, and the candidate is remembered as rejected."""
    assert course.candidate
    gone = course.candidate
    course = course.routing(because=f"{reason}: {message}")
    course = _reject(course, now, reason=reason, message=message)
    event = Event("Warning", "RolledBack", f"{gone.model_version} was taken back, {reason}: {message}")
    return course.noting("status", f"rejected {gone.revision}", "all traffic is on stable").telling(event)


def block(course: Course, now: datetime, *, message: str, gate_run: str) -> Course:
    """The candidate is remembered as rejected by its gates; no request has met it."""
    assert course.candidate
    gone = course.candidate
    course = _reject(course, now, reason=Reason.GATE_FAILED, message=message, gate_run=gate_run)
    event = Event("Warning", "Blocked", f"{gone.model_version} is blocked by its gates: {message}")
    return course.noting("status", f"blocked {gone.revision}", "its gates are not Good").telling(event)


def _reject(
    course: Course, now: datetime, *, reason: str, message: str, gate_run: str | None = None
) -> Course:
    assert course.candidate
    gone = course.candidate
    rejection = Rejection(
        revision=gone.revision,
        model_version=gone.model_version,
        digest=gone.digest,
        reason=reason,
        message=message,
        at=say_time(now),
        gate_run=gate_run,
    )
    kept = tuple(entry for entry in course.rejected if entry.revision != gone.revision)
    course = course.ending(Place.CANDIDATE, reason, message)
    return replace(course, candidate=None, rollout=None, rejected=(*kept, rejection)[-REJECTIONS_KEPT:])


def withdraw(course: Course, *, because: str) -> Course:
    """The candidate leaves without blame, since the user wants something else."""
    assert course.candidate
    name = course.candidate.revision
    course = course.ending(Place.CANDIDATE, Ended.WITHDRAWN, because).routing(because=because)
    course = replace(course, candidate=None, rollout=None)
    return course.noting("status", f"withdrew {name}", because)


def describe(revision: Revision, now: datetime) -> RevisionStatus:
    """A revision as status shows it."""
    return RevisionStatus(
        revision=revision.name,
        model_version=revision.model_version,
        digest=revision.digest,
        since=say_time(now),
    )


def say_time(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, as Kubernetes writes times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_since(moment: str, now: datetime) -> float:
    """Seconds from a time in status until now."""
    return (now - datetime.fromisoformat(moment)).total_seconds()


def _say_split(weight: int, mirror: int) -> str:
    return f"mirror {mirror} %" if mirror else f"{weight} %"
