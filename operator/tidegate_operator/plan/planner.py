"""The planner: from one look at a ModelDeployment to all that should be done about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tidegate.verdict import Verdict
from tidegate_operator.api.status import Phase, Rejection
from tidegate_operator.plan.course import (
    Course,
    Reason,
    enter,
    read_course,
    seconds_since,
    withdraw,
)
from tidegate_operator.plan.facts import Manifest, Revision, Snapshot
from tidegate_operator.plan.gate_job import Held, build_gate_job
from tidegate_operator.plan.gate_report import build_gate_report
from tidegate_operator.plan.gating import are_open, is_over, look_at_gates
from tidegate_operator.plan.history import bring_up
from tidegate_operator.plan.identity import RETRY_ANNOTATION, name_gate_run
from tidegate_operator.plan.plan import Plan, Route
from tidegate_operator.plan.render import RenderSettings, build_controller_revision, build_workload
from tidegate_operator.plan.rollout import LOOK_SECONDS, advance, pods_wanted
from tidegate_operator.plan.startup import find_obstacle, say_closed
from tidegate_operator.plan.summary import summarise
from tidegate_operator.plan.target import Target, Unclear, find_target

# What the bytes of a version did wrong is held against its digest, wherever it lies and whatever its limits;
# everything else (memory, a start, latency) may be mended in the spec and is held against the revision alone.
HELD_AGAINST_DIGEST = frozenset({"ErrorRate", "NotFinite"})


def plan(snapshot: Snapshot, now: datetime, settings: RenderSettings) -> Plan:
    """What should be done now. Never raises for anything that a user can write."""
    target = find_target(snapshot, settings)
    course = _forget_on_retry(read_course(snapshot.deployment.status), snapshot, target)
    course = _cool_down(course, now)
    course = _say_refused(_steer(course, snapshot, target, now), snapshot)
    route = _route(course, snapshot)
    revisions = bring_up(_known_revisions(snapshot, target, course), course, route, now)
    return Plan(
        route=route,
        apply=_objects(course, snapshot, revisions),
        delete=_leftovers(course, snapshot),
        status=summarise(course, snapshot, now),
        events=course.events,
        notes=course.notes,
        look_again_seconds=_next_look(course, now),
        histories={name: revision.history for name, revision in revisions.items() if _is_news(revision)},
    )


def _steer(course: Course, snapshot: Snapshot, target: Target | Unclear, now: datetime) -> Course:
    """The rules of who may become candidate, in the order in which they must be asked."""
    if isinstance(target, Unclear):
        return _go_on_without(target, course, snapshot, now)
    wanted = target.revision
    course = _call_as_asked(course, wanted)
    if course.candidate and course.candidate.revision != wanted.name:
        course = withdraw(course, because=f"spec.modelVersion now asks for {wanted.model_version}")
    if course.stable and course.stable.revision == wanted.name:
        return _serve(course, snapshot)
    if course.candidate is None and (rejection := _find_rejection(course, snapshot, wanted)):
        return _stay_rejected(course, rejection)
    if course.candidate is None:
        if snapshot.deployment.spec.paused and course.stable:
            return course.saying(Phase.PAUSED, Reason.PAUSED, "spec.paused is true: no rollout begins")
        course = _start(course, wanted, now)
    if not are_open(course, snapshot):
        course = look_at_gates(course, snapshot, wanted, now)
    if _is_through_gates(course, snapshot):
        course = advance(course, snapshot, now)
    return _after_advance(course, snapshot, wanted)


def _go_on_without(target: Unclear, course: Course, snapshot: Snapshot, now: datetime) -> Course:
    """What is running stays as it is, a bad candidate included in what is watched."""
    candidate = course.candidate
    if candidate and (lack := snapshot.find_unsigned(candidate.model_version)):
        # A policy is new, and would not have let it in: it must not become stable meanwhile.
        course = replace(withdraw(course, because=lack.sentence), phase=Phase.BLOCKED)
    if _is_through_gates(course, snapshot):
        course = advance(course, snapshot, now)
    refused = target.reason is Reason.NOT_SIGNED and course.candidate is None
    phase = Phase.BLOCKED if refused else course.phase
    return course.saying(phase, target.reason, target.message, stalled=True)


def _call_as_asked(course: Course, wanted: Revision) -> Course:
    """A revision is called by the ModelVersion that the spec names, though another one of the same bytes came first."""
    name = {"model_version": wanted.model_version}
    stable, candidate = (
        role.model_copy(update=name) if role and role.revision == wanted.name else role
        for role in (course.stable, course.candidate)
    )
    return replace(course, stable=stable, candidate=candidate)


def _is_through_gates(course: Course, snapshot: Snapshot) -> bool:
    return course.candidate is not None and are_open(course, snapshot)


def _start(course: Course, wanted: Revision, now: datetime) -> Course:
    because = f"spec.modelVersion asks for {wanted.model_version}"
    course = enter(course, wanted, now).noting("status", f"candidate {wanted.name}", because)
    if course.warm and course.warm.revision == wanted.name:
        course = replace(course, warm=None)
    return course


def _after_advance(course: Course, snapshot: Snapshot, wanted: Revision) -> Course:
    """Promotion and take-back change what there is to say about the deployment as a whole."""
    if course.candidate:
        return course
    if course.stable and course.stable.revision == wanted.name:
        return _serve(course, snapshot)
    rejection = _find_rejection(course, snapshot, wanted)
    return _stay_rejected(course, rejection) if rejection else course


def _serve(course: Course, snapshot: Snapshot) -> Course:
    """The wanted version is in service."""
    assert course.stable
    workload = snapshot.workloads.get(course.stable.revision)
    replicas = snapshot.deployment.spec.serving.replicas
    ready = workload.ready if workload else 0
    version = course.stable.model_version
    if replicas == 0:
        words = f"{version} has no pods (spec.serving.replicas is 0)"
        return course.saying(Phase.SERVING, Reason.SCALED_TO_ZERO, words, ready=True)
    if ready < replicas:
        obstacle = find_obstacle(workload)
        why = f": {obstacle.message}" if obstacle else ""
        return course.saying(
            Phase.SERVING, Reason.STARTING, f"{ready} of {replicas} pods of {version} are ready{why}"
        )
    if not snapshot.is_open:
        closed = say_closed(snapshot.router)
        return course.saying(Phase.SERVING, Reason.ROUTER_AWAY, f"{version} gets no requests: {closed}")
    if snapshot.deployment.spec.paused:
        words = f"{version} serves; spec.paused is true"
        return course.saying(Phase.PAUSED, Reason.PAUSED, words, ready=True)
    words = f"{version} serves all requests with {ready} pods"
    if lack := snapshot.find_unsigned(version):
        words = f"{words}, since it did before this was wanted: {lack.sentence}"
    return course.saying(Phase.SERVING, Reason.SERVING, words, ready=True)


def _stay_rejected(course: Course, rejection: Rejection) -> Course:
    if rejection.gate_run:
        words = (
            f"{rejection.model_version} is blocked by its gates: {rejection.message}; apply another version or other "
            f"gates, or try it again with the annotation {RETRY_ANNOTATION}"
        )
        return course.saying(Phase.BLOCKED, Reason.GATE_FAILED, words, stalled=True)
    words = (
        f"{rejection.model_version} was taken back, {rejection.reason}: {rejection.message}; apply another version, "
        f"or try it again with the annotation {RETRY_ANNOTATION}"
    )
    return course.saying(Phase.ROLLED_BACK, Reason.ROLLED_BACK, words, stalled=True)


def _say_refused(course: Course, snapshot: Snapshot) -> Course:
    """What the API server refuses stands before the rest: as long as it does, the rest may be only a wish."""
    if not snapshot.refusal:
        return course
    words = f"{snapshot.refusal}; it is tried again, later and later, and goes on when that is mended"
    return course.saying(course.phase, Reason.NOT_APPLIED, words, stalled=True)


def _find_rejection(course: Course, snapshot: Snapshot, wanted: Revision) -> Rejection | None:
    """Why the wanted revision is not tried again. What gates found is held against it only as long as they ask so."""
    stable = course.stable.revision if course.stable else ""
    run = name_gate_run(snapshot.deployment, wanted.name, stable)
    for entry in reversed(course.rejected):
        if entry.gate_run and entry.gate_run != run:
            continue
        same_bytes = entry.digest == wanted.digest and entry.reason in HELD_AGAINST_DIGEST
        if entry.revision == wanted.name or same_bytes:
            return entry
    return None


def _forget_on_retry(course: Course, snapshot: Snapshot, target: Target | Unclear) -> Course:
    """A new token in the retry annotation forgets what the wanted version was rejected for."""
    token = snapshot.deployment.metadata.annotations.get(RETRY_ANNOTATION)
    if not token or token == snapshot.deployment.status.last_handled_retry or isinstance(target, Unclear):
        return course
    wanted = target.revision
    kept = tuple(e for e in course.rejected if wanted.name != e.revision and wanted.digest != e.digest)
    return replace(course, rejected=kept).noting("status", f"retry {token}", "the retry annotation is new")


def _cool_down(course: Course, now: datetime) -> Course:
    """The former stable goes when rollout.keepWarm is over."""
    warm = course.warm
    if warm is None or warm.until is None or seconds_since(warm.until, now) < 0:
        return course
    return replace(course, warm=None).noting(
        "status", f"cooled {warm.revision}", "spec.rollout.keepWarm is over"
    )


def _route(course: Course, snapshot: Snapshot) -> Route | None:
    candidate = course.candidate.revision if course.candidate and _may_be_known(course, snapshot) else None
    if course.stable is None:
        return Route(stable=candidate) if candidate else None
    return Route(
        stable=course.stable.revision,
        candidate=candidate,
        weight=course.weight,
        mirror=course.mirror,
        warm=(course.warm.revision,) if course.warm else (),
    )


def _may_be_known(course: Course, snapshot: Snapshot) -> bool:
    """Whether routers are told of the candidate, a first version included: not before its pods are ready.

    Without this, a router asks for the name of a Service that has no address yet, and a kubeadm cluster's DNS
    remembers the empty answer for 30 s, in which every rollout would stand still. Who has traffic stays known.
    """
    assert course.candidate
    if not are_open(course, snapshot):
        return False
    workload = snapshot.workloads.get(course.candidate.revision)
    exposed = bool(course.weight or course.mirror)
    return exposed or (workload is not None and workload.wanted <= workload.ready > 0)


def _known_revisions(snapshot: Snapshot, target: Target | Unclear, course: Course) -> dict[str, Revision]:
    """All recorded revisions and the new one; the stable one is marked, so that it may come back directly."""
    known = {revision.name: revision for revision in snapshot.revisions}
    if isinstance(target, Target):
        known.setdefault(target.revision.name, target.revision)
    if course.stable and (stable := known.get(course.stable.revision)):
        known[stable.name] = replace(stable, promoted=True)
    told = course.gates
    if told and told.verdict == Verdict.GOOD and (passed := known.get(told.revision)):
        known[passed.name] = replace(passed, passed=told.run)
    return known


def _objects(course: Course, snapshot: Snapshot, revisions: dict[str, Revision]) -> tuple[Manifest, ...]:
    """The objects of every revision in use, with the pods that each should have now.

    Before them the records of those that were in use until now: how that ended must be written before their pods go,
    since nobody will come back to them.
    """
    deployment = snapshot.deployment
    replicas = deployment.spec.serving.replicas
    wanted = {role.revision: replicas for role in (course.stable, course.warm) if role}
    if course.candidate and are_open(course, snapshot):
        wanted[course.candidate.revision] = _candidate_pods(course, snapshot)
    left = [revision for name, revision in revisions.items() if name not in wanted and _is_news(revision)]
    found = [build_controller_revision(deployment, revision) for revision in left]
    found.extend(_gate_objects(course, snapshot, revisions))
    for name, count in wanted.items():
        if revision := revisions.get(name):
            found.append(build_controller_revision(deployment, revision))
            found.extend(build_workload(deployment, revision, replicas=count))
    return tuple(found)


def _gate_objects(course: Course, snapshot: Snapshot, revisions: dict[str, Revision]) -> Iterator[Manifest]:
    """The report of a run that has ended, the record of a candidate that is held against its gates, and its Job."""
    deployment, told = snapshot.deployment, course.gates
    if told is None or (candidate := revisions.get(told.revision)) is None:
        return
    if (run := snapshot.gate_runs.get(told.run)) and (
        report := build_gate_report(deployment, candidate, told, run)
    ):
        yield report
    waits = course.candidate is not None and course.candidate.revision == told.revision
    if waits and not are_open(course, snapshot):
        if not _is_news(candidate):  # else it is among those already
            yield build_controller_revision(deployment, candidate)
        # A Job is never changed: another operator's image must not touch one that runs.
        if told.verdict is None and run is None and not deployment.spec.paused:
            stable = revisions.get(told.stable) if told.stable else None
            yield build_gate_job(deployment, Held(told.run, candidate, stable))


def _is_news(revision: Revision) -> bool:
    """Whether there is more to tell than its record does."""
    return revision.history != revision.recorded


def _candidate_pods(course: Course, snapshot: Snapshot) -> int:
    """Never fewer than there are: a rollout only grows, until it is promoted or taken back."""
    assert course.candidate
    workload = snapshot.workloads.get(course.candidate.revision)
    replicas = snapshot.deployment.spec.serving.replicas
    return min(replicas, max(pods_wanted(course, snapshot), workload.wanted if workload else 0))


def _leftovers(course: Course, snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """The pods of revisions that are neither stable, candidate nor warm. Their records stay for ever."""
    used = {role.revision for role in (course.stable, course.candidate, course.warm) if role}
    gone = sorted(name for name in snapshot.workloads if name not in used)
    workloads = tuple(
        (kind, name) for name in gone for kind in ("Deployment", "Service", "PodDisruptionBudget")
    )
    awaited = course.gates.run if course.gates and course.candidate else None
    runs, gates = sorted(snapshot.gate_runs.items()), snapshot.deployment.spec.gates
    return workloads + tuple(("Job", name) for name, run in runs if name != awaited or is_over(run, gates))


def _next_look(course: Course, now: datetime) -> float | None:
    if course.candidate:
        return course.look_again_seconds or LOOK_SECONDS
    if course.warm and course.warm.until:
        return max(1.0, -seconds_since(course.warm.until, now))
    return None
