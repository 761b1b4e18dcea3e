"""The status of a ModelDeployment: what is so, and the bounded counts from which a rollout resumes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tidegate_operator.api.conditions import Condition
from tidegate_operator.api.resource import Seen


class Phase(StrEnum):
    """Where a ModelDeployment stands, in one word."""

    PENDING = "Pending"
    QUALIFYING = "Qualifying"
    BLOCKED = "Blocked"
    STARTING = "Starting"
    MIRRORING = "Mirroring"
    CANARY = "Canary"
    PAUSED = "Paused"
    SERVING = "Serving"
    ROLLED_BACK = "RolledBack"
    FAILED = "Failed"


class RevisionStatus(Seen):
    """One revision: a ModelVersion with the limits that its pods run under."""

    revision: str
    """Name of its Deployment, Service and ControllerRevision, such as fraud-1a2b3c4d."""
    model_version: str
    """Name of its ModelVersion."""
    digest: str
    """Digest of its bundle."""
    since: str
    """Since when it has had this place (RFC 3339)."""
    until: str | None = None
    """Until when its pods stay up (RFC 3339); only for the warm one."""


class DesiredTraffic(Seen):
    """The split that was decided."""

    candidate_weight: int = 0
    """Percent of the requests that the candidate answers, 0 to 100."""
    mirror: int = 0
    """Percent of the requests that are copied to the candidate, 0 to 100."""


class ObservedTraffic(Seen):
    """The split that the routers counted."""

    candidate_percent: str = "0%"
    """Share of the requests that the candidate answered lately, such as 5.2%."""
    requests: int = 0
    """Requests that this share was counted over."""
    mirrored: int = 0
    """Requests that were copied to the candidate; their answers reached nobody."""


class TrafficStatus(Seen):
    """Where the requests go: as decided, and as counted."""

    desired: DesiredTraffic | None = None
    """The split that was decided."""
    observed: ObservedTraffic | None = None
    """The split that the routers counted; absent before the first request."""


class Count(Seen):
    """Events in exposures."""

    events: int = 0
    """Requests in which it happened."""
    exposures: int = 0
    """Requests in which it could have happened."""


class CheckCounts(Seen):
    """What one check counted in one step."""

    check: str
    """Name of the check, such as ErrorRate or Latency>500ms."""
    candidate: Count = Count()
    """Counts of the candidate."""
    stable: Count = Count()
    """Counts of the version in service, over the same time."""


class StepCounts(Seen):
    """What was counted in one step, whose split was constant."""

    candidate_requests: int = 0
    """Requests that the candidate answered, mirrored ones too."""
    stable_requests: int = 0
    """Requests that the version in service answered."""
    candidate_not_finite: int = 0
    """Rows for which the candidate answered NaN or infinity."""
    stable_not_finite: int = 0
    """Rows for which the version in service answered NaN or infinity."""
    checks: Annotated[tuple[CheckCounts, ...], Field(max_length=10)] = ()
    """Counts of each check."""


class CheckStatus(Seen):
    """What one check says now."""

    name: str
    """Name of the check, such as ErrorRate or Latency>500ms."""
    verdict: str
    """Good, Bad or NotEnough."""
    message: str = ""
    """The reason with its numbers, in one sentence."""


class Waiting(Seen):
    """What a pod said that it waits for, such as a store or a Secret."""

    reason: str
    """The word for conditions, such as SourceDenied."""
    message: str
    """The sentence for the user, with what to do."""


class RolloutStatus(Seen):
    """The rollout under way, and all that is needed to resume it."""

    started_at: str
    """When it began (RFC 3339)."""
    step: int = 0
    """Index of the current step in spec.rollout.steps, from 0."""
    step_started_at: str | None = None
    """When the current step's split was decided (RFC 3339); absent before the first step."""
    steps: Annotated[tuple[StepCounts, ...], Field(max_length=20)] = ()
    """Counts of each step so far."""
    checks: Annotated[tuple[CheckStatus, ...], Field(max_length=10)] = ()
    """What each check says now."""
    restarts: int = 0
    """Restarts that a pod of the candidate had behind it, at most, when the first step began; they are not held
    against it.
    """
    waiting_for: Waiting | None = None
    """What the candidate's pods said last that they wait for; absent once one is ready, or something else is so."""


class GateStatus(Seen):
    """What one gate says."""

    gate: str
    """Name of the gate."""
    verdict: str
    """Good, Bad or NotEnough."""
    message: str
    """The sentence that decided, with its figures."""


class GatesStatus(Seen):
    """What the gates say of the latest candidate."""

    run: str
    """Name of the run: of its Job, and of the GateReport with all findings once it has ended."""
    model_version: str
    """The version that is looked at."""
    revision: str
    """Its revision."""
    stable: str | None = None
    """Revision in service that it is compared with; absent if there is none yet."""
    verdict: str | None = None
    """Good, Bad or NotEnough; absent while the gates run."""
    results: Annotated[tuple[GateStatus, ...], Field(max_length=20)] = ()
    """What each gate says."""


class Rejection(Seen):
    """A candidate that was taken back. Applying it again changes nothing; the annotation tidegate.io/retry
    does.
    """

    revision: str
    """Name of the revision."""
    model_version: str
    """Name of its ModelVersion."""
    digest: str
    """Digest of its bundle."""
    reason: str
    """The check or the trip, such as ErrorRate or OutOfMemory."""
    message: str
    """The reason with its numbers, in one sentence."""
    at: str
    """When it was taken back (RFC 3339)."""
    gate_run: str | None = None
    """The run of the gates that blocked it. Other gates, or another version in service to be compared with, make
    another run. Absent where it was taken back from traffic.
    """


class ModelDeploymentStatus(Seen):
    """What is so."""

    observed_generation: int = -1
    """The metadata.generation that this status speaks about; -1 before the first look."""
    phase: Phase | None = None
    """Where the ModelDeployment stands, in one word."""
    version: str | None = None
    """Name of the ModelVersion that answers requests."""
    stable: RevisionStatus | None = None
    """The revision in service."""
    candidate: RevisionStatus | None = None
    """The revision that wants to be; absent outside of a rollout."""
    warm: RevisionStatus | None = None
    """The former revision, whose pods stay up until the time in until."""
    traffic: TrafficStatus | None = None
    """Where the requests go."""
    gates: GatesStatus | None = None
    """What the gates say of the latest candidate; absent if there never were any."""
    rollout: RolloutStatus | None = None
    """The rollout under way; absent outside of one."""
    rejected: Annotated[tuple[Rejection, ...], Field(max_length=10)] = ()
    """The last 10 candidates that were taken back, the latest last."""
    last_handled_retry: str | None = None
    """The last value of the annotation tidegate.io/retry that was acted upon."""
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = ()
    """Ready, Reconciling, Stalled and Available, as kstatus reads them."""
    replicas: int | None = None
    """Predictor pods of the version in service, for the scale subresource."""
    selector: str | None = None
    """Label selector of those pods, for the scale subresource."""
