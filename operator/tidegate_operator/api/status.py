"""The status of a ModelDeployment: all that is needed to resume after a crash, bounded, counts and no histories."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tidegate_operator.api.conditions import Condition
from tidegate_operator.api.resource import SeenPart

Short = Annotated[str, Field(max_length=253)]
Message = Annotated[str, Field(max_length=1024)]
Time = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]


class Phase(StrEnum):
    """Where a ModelDeployment stands, in a word."""

    PENDING = "Pending"
    STARTING = "Starting"
    MIRRORING = "Mirroring"
    CANARY = "Canary"
    PAUSED = "Paused"
    SERVING = "Serving"
    ROLLED_BACK = "RolledBack"
    FAILED = "Failed"


class RevisionStatus(SeenPart):
    """One revision in one role."""

    revision: Short = Field(description="Name of the ControllerRevision, Deployment and Service.")
    model_version: Short = Field(description="Name of its ModelVersion.")
    digest: Short = Field(description="Digest of its bundle.")
    since: Time = Field(description="When it came into its role, or for a candidate when it was started.")
    until: Time | None = Field(default=None, description="For a warm revision: when its pods go.")


class DesiredTraffic(SeenPart):
    """The split that was decided."""

    candidate_weight: int = Field(
        default=0, description="Percent of requests that the candidate should answer."
    )
    mirror: int = Field(default=0, description="Percent of requests that should be copied to the candidate.")


class ObservedTraffic(SeenPart):
    """The split that the routers counted in the current step."""

    candidate_percent: Short = Field(
        description="Percent of requests that the candidate answered, as in 5.2%."
    )
    requests: int = Field(description="Requests answered to users.")
    mirrored: int = Field(default=0, description="Requests copied to the candidate.")


class TrafficStatus(SeenPart):
    """Wish and fact."""

    desired: DesiredTraffic = Field(default=DesiredTraffic(), description="The split that was decided.")
    observed: ObservedTraffic | None = Field(default=None, description="The split that the routers counted.")


class Count(SeenPart):
    """Events among exposures."""

    events: int = Field(default=0, description="Requests for which the check's event happened.")
    exposures: int = Field(default=0, description="Requests in which it could have happened.")


class CheckCounts(SeenPart):
    """The four counts of one check in one step."""

    check: Short = Field(description="Name of the check.")
    candidate: Count = Field(default=Count(), description="What the candidate met.")
    stable: Count = Field(default=Count(), description="What stable met at the same time.")


class StepCounts(SeenPart):
    """What was counted in one step of a rollout."""

    candidate_requests: int = Field(default=0, description="Requests that the candidate saw.")
    stable_requests: int = Field(default=0, description="Requests that stable answered.")
    candidate_not_finite: int = Field(
        default=0, description="Rows the candidate answered with NaN or infinity."
    )
    stable_not_finite: int = Field(default=0, description="Rows stable answered with NaN or infinity.")
    checks: Annotated[tuple[CheckCounts, ...], Field(max_length=10)] = Field(
        default=(), description="The counts of each check."
    )


class CheckStatus(SeenPart):
    """What a check says, over all steps so far."""

    name: Short = Field(description="Name of the check.")
    verdict: Short = Field(description="Good, Bad or NotEnough.")
    message: Message = Field(default="", description="The reason, with its numbers.")


class RolloutStatus(SeenPart):
    """How far a candidate has come."""

    started_at: Time = Field(description="When the rollout began.")
    step: int = Field(default=0, description="Index of the current step, from 0.")
    step_started_at: Time | None = Field(
        default=None, description="When the step's split came into force; none while the candidate starts."
    )
    steps: Annotated[tuple[StepCounts, ...], Field(max_length=20)] = Field(
        default=(), description="What was counted in each step so far."
    )
    checks: Annotated[tuple[CheckStatus, ...], Field(max_length=10)] = Field(
        default=(), description="What the checks say."
    )


class Rejection(SeenPart):
    """A candidate that was taken back, and is not tried again unless a retry is asked for."""

    revision: Short = Field(description="Its revision.")
    model_version: Short = Field(description="Its ModelVersion.")
    digest: Short = Field(description="Digest of its bundle.")
    reason: Short = Field(description="The check, trip or start failure.")
    message: Message = Field(default="", description="The reason in one sentence, with its numbers.")
    at: Time = Field(description="When it was taken back.")


class ModelDeploymentStatus(SeenPart):
    """What was learnt."""

    observed_generation: int = Field(
        default=-1, description="The metadata.generation that this status answers; -1 before the first look."
    )
    phase: Phase | None = Field(default=None, description="Where it stands, in a word.")
    version: Short | None = Field(default=None, description="The ModelVersion in service.")
    stable: RevisionStatus | None = Field(default=None, description="The revision in service.")
    candidate: RevisionStatus | None = Field(default=None, description="The revision that wants to be.")
    warm: RevisionStatus | None = Field(default=None, description="The former stable, its pods still up.")
    traffic: TrafficStatus | None = Field(default=None, description="The split, wished and counted.")
    rollout: RolloutStatus | None = Field(default=None, description="How far the candidate has come.")
    rejected: Annotated[tuple[Rejection, ...], Field(max_length=10)] = Field(
        default=(), description="Candidates that were taken back, the latest ten."
    )
    last_handled_retry: Short | None = Field(
        default=None, description="The last token of the annotation tidegate.io/retry that was answered."
    )
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16)] = Field(
        default=(),
        description="Ready, Reconciling, Stalled and Available.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    replicas: int = Field(default=0, description="Pods that are ready, for the scale subresource.")
    selector: Short = Field(default="", description="Selector of the pods, for the scale subresource.")
