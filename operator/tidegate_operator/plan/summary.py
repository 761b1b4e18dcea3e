"""The summary: a course as status, with the conditions that kstatus, Argo CD and `kubectl wait` read."""

from __future__ import annotations

from datetime import datetime

from tidegate_operator.api.conditions import Condition, ConditionType, carry_transitions
from tidegate_operator.api.status import (
    DesiredTraffic,
    ModelDeploymentStatus,
    ObservedTraffic,
    TrafficStatus,
)
from tidegate_operator.plan.course import Course, Reason, say_time
from tidegate_operator.plan.facts import Snapshot
from tidegate_operator.plan.identity import RETRY_ANNOTATION, REVISION_LABEL, select_pods

MESSAGE_LIMIT = 1024  # bounded in the CRD; etcd refuses statuses without bounds sooner or later


def summarise(course: Course, snapshot: Snapshot, now: datetime) -> ModelDeploymentStatus:
    """The whole status, in one value that is written at once."""
    deployment = snapshot.deployment
    retry = deployment.metadata.annotations.get(RETRY_ANNOTATION)
    selector = ",".join(f"{key}={value}" for key, value in select_pods(deployment.metadata.name).items())
    # Pods that hold gates have no label of a revision, and serve nobody.
    selector = f"{selector},{REVISION_LABEL}"
    return ModelDeploymentStatus(
        observed_generation=deployment.metadata.generation,
        phase=course.phase,
        version=course.stable.model_version if course.stable else None,
        stable=course.stable,
        candidate=course.candidate,
        warm=course.warm,
        traffic=TrafficStatus(
            desired=DesiredTraffic(candidate_weight=course.weight, mirror=course.mirror),
            observed=_observe(course),
        ),
        gates=course.gates,
        rollout=course.rollout,
        rejected=course.rejected,
        last_handled_retry=retry or deployment.status.last_handled_retry,
        conditions=_conditions(course, snapshot, now),
        replicas=sum(workload.ready for workload in snapshot.workloads.values()),
        selector=selector,
    )


def _observe(course: Course) -> ObservedTraffic | None:
    """What the routers did in this step; the wish is never shown as fact."""
    if not course.rollout or not course.rollout.steps:
        return None
    step = course.rollout.steps[-1]
    candidate, stable = step.candidate_requests, step.stable_requests
    answered = stable if course.mirror else candidate + stable
    share = 0.0 if course.mirror or not answered else 100 * candidate / answered
    return ObservedTraffic(
        candidate_percent=f"{share:.1f}%", requests=answered, mirrored=candidate if course.mirror else 0
    )


def _conditions(course: Course, snapshot: Snapshot, now: datetime) -> tuple[Condition, ...]:
    stable = snapshot.workloads.get(course.stable.revision) if course.stable else None
    ready_pods = stable.ready if stable else 0
    replicas = snapshot.deployment.spec.serving.replicas
    available = course.stable is not None and (replicas == 0 or (ready_pods > 0 and snapshot.is_open))
    reason, message = str(course.reason), course.message
    said = (
        (ConditionType.READY, course.ready, reason, message),
        (ConditionType.RECONCILING, not course.ready and not course.stalled, reason, message),
        (ConditionType.STALLED, course.stalled, reason, message),
        (ConditionType.AVAILABLE, available, *_say_available(course, ready_pods, is_open=snapshot.is_open)),
    )
    conditions = tuple(
        Condition(
            type=kind,
            status="True" if holds else "False",
            reason=reason,
            message=message[:MESSAGE_LIMIT],
            observed_generation=snapshot.deployment.metadata.generation,
            last_transition_time=say_time(now),
        )
        for kind, holds, reason, message in said
    )
    return carry_transitions(snapshot.deployment.status.conditions, conditions)


def _say_available(course: Course, ready_pods: int, *, is_open: bool) -> tuple[str, str]:
    if course.stable is None:
        return "NoVersion", "no version has served yet"
    words = f"{ready_pods} pods of {course.stable.model_version} are ready"
    if ready_pods and not is_open:
        return Reason.ROUTER_AWAY, f"{words}, but no router of the namespace answers"
    return "PodsReady" if ready_pods else "NoPodsReady", words
