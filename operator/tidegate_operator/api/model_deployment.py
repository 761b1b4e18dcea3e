"""ModelDeployment: what a user wants served, with which resources, and how a new version is rolled out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tidegate_operator.api.fields import Duration, Name, Percentage, Quantity
from tidegate_operator.api.resource import Metadata, SeenPart, SpecPart
from tidegate_operator.api.status import ModelDeploymentStatus


class Amounts(SpecPart):
    """CPU and memory of one pod."""

    cpu: Quantity = Field(description="Cores, such as 500m (half a core) or 2.")
    memory: Quantity = Field(description="Bytes, such as 512Mi or 2Gi.")


class Resources(SpecPart):
    """What one pod is promised, and what it may use at most."""

    requests: Amounts = Field(
        default=Amounts(cpu="250m", memory="256Mi"),
        description="What the scheduler reserves for one pod. Default: 250m and 256Mi.",
    )
    limits: Amounts = Field(
        default=Amounts(cpu="1", memory="512Mi"),
        description="What one pod may use at most. The predictor runs one thread per core of the CPU limit, "
        "rounded up. Default: 1 and 512Mi.",
    )


class Startup(SpecPart):
    """How long a start may take."""

    timeout: Duration = Field(
        default="60s",
        description="How long a pod may take to fetch, verify and load the bundle before the version is taken "
        "back. Example: 2m. Default: 60s.",
    )


class Serving(SpecPart):
    """The pods that answer."""

    replicas: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=1,
        description="Pods of the version in service, 0 to 1000. Zero goes only with strategy Immediate. Default: 1.",
    )
    resources: Resources = Field(default=Resources(), description="CPU and memory of one pod.")
    startup: Startup = Field(default=Startup(), description="How long a start may take.")


class Strategy(StrEnum):
    """How a new version comes to serve."""

    CANARY = "Canary"
    IMMEDIATE = "Immediate"


class Step(SpecPart):
    """One step of a canary: a mirror or a weight."""

    mirror: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None,
        description="Percent of requests that are copied to the candidate, 1 to 100; its answers are dropped, so "
        "no user meets a mistake. Default: none.",
    )
    weight: Annotated[int, Field(ge=1, le=99)] | None = Field(
        default=None, description="Percent of requests that the candidate answers, 1 to 99. Default: none."
    )
    hold: Duration = Field(
        default="1m",
        description="The least time that the step lasts, however good the evidence is. Example: 30s. Default: 1m.",
    )


class CheckType(StrEnum):
    """What a check counts."""

    ERROR_RATE = "ErrorRate"
    LATENCY = "Latency"


class Check(SpecPart):
    """One question about the candidate, asked against stable over the same time."""

    type: CheckType = Field(
        description="ErrorRate counts answers 4xx and 5xx (clients' mistakes meet both revisions alike); "
        "Latency counts requests that took longer than the threshold."
    )
    tolerance: Percentage = Field(
        default="1%",
        description="Harm that is allowed, in points of all requests: with 1%, a candidate that fails 1.5 % of "
        "requests where stable fails 0.6 % is within it. Default: 1%.",
    )
    threshold: Duration | None = Field(
        default=None,
        description="For Latency: what counts as slow, up to 30s; rounded up to the next bound that the router "
        "counts by (…, 50, 75, 100, 150, 200, 300, 500, 750, 1000 ms, …). Default: none.",
    )


class Trip(StrEnum):
    """Facts that take a candidate back at once, without statistics."""

    NOT_FINITE = "NotFinite"
    CRASH_LOOP = "CrashLoop"
    OUT_OF_MEMORY = "OutOfMemory"


class Analysis(SpecPart):
    """What is asked of a candidate, and how sure the answers have to be."""

    max_false_rollback: Percentage = Field(
        default="1%",
        description="The chance, over the whole rollout and all its checks, that a candidate as good as stable is "
        "taken back. Default: 1%.",
    )
    max_false_promotion: Percentage = Field(
        default="5%",
        description="The chance, for each check, that a candidate is called Good though its harm is above the "
        "tolerance. Default: 5%.",
    )
    min_requests_per_step: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=50,
        description="Requests that the candidate must have seen within a step before the step is left; until then "
        "the rollout waits. Default: 50.",
    )
    checks: Annotated[tuple[Check, ...], Field(max_length=10)] = Field(
        default=(
            Check(type=CheckType.ERROR_RATE, tolerance="1%"),
            Check(type=CheckType.LATENCY, tolerance="5%", threshold="500ms"),
        ),
        description="Questions with numbers in them, at most 10. Default: ErrorRate within 1% and requests slower "
        "than 500ms within 5%.",
    )
    trips: Annotated[tuple[Trip, ...], Field(max_length=3)] = Field(
        default=(Trip.NOT_FINITE, Trip.CRASH_LOOP, Trip.OUT_OF_MEMORY),
        description="Facts that take the candidate back at once. Default: all three.",
    )


class Inconclusive(StrEnum):
    """What happens when rollout.maxDuration is over and the checks are still undecided."""

    HOLD = "Hold"
    PROMOTE = "Promote"
    ROLLBACK = "Rollback"


class Rollout(SpecPart):
    """How a new version comes to serve."""

    strategy: Strategy = Field(
        default=Strategy.CANARY,
        description="Canary walks the steps; Immediate moves all traffic as soon as the pods are ready. "
        "Default: Canary.",
    )
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)] = Field(
        default=(Step(mirror=100), Step(weight=5), Step(weight=25), Step(weight=50)),
        description="Steps of a canary, mirrors first and weights ascending, at most 20. Default: mirror 100, then "
        "5, 25 and 50 percent.",
    )
    analysis: Analysis = Field(default=Analysis(), description="What is asked of a candidate.")
    on_inconclusive: Inconclusive = Field(
        default=Inconclusive.HOLD,
        description="What happens when maxDuration is over and the checks are undecided: Hold, Promote or "
        "Rollback. Default: Hold.",
    )
    max_duration: Duration = Field(
        default="24h", description="How long a rollout may stay undecided. Default: 24h."
    )
    keep_warm: Duration = Field(
        default="1h",
        description="How long the former version's pods stay up after a promotion, so that going back is one "
        "write. 0s: not at all. Default: 1h.",
    )


class ModelDeploymentSpec(SpecPart):
    """What should be served."""

    model_version: Name = Field(
        description="Name of the ModelVersion, in the same namespace, that should serve. Example: fraud-7."
    )
    model: Name | None = Field(
        default=None,
        description="The model that the version must be of. Default: the name of the ModelDeployment.",
    )
    paused: bool = Field(
        default=False,
        description="Whether rollouts hold where they are. A bad candidate is taken back all the same. Default: false.",
    )
    serving: Serving = Field(default=Serving(), description="The pods that answer.")
    rollout: Rollout = Field(default=Rollout(), description="How a new version comes to serve.")


class ModelDeployment(SeenPart):
    """A deployment as the API server keeps it."""

    metadata: Metadata
    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus = ModelDeploymentStatus()
