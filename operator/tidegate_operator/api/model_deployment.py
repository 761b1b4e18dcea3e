"""ModelDeployment: what a user wants served, and how it may replace what is served now."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from tidegate_operator.api.fields import (
    Duration,
    MirrorShare,
    ModelName,
    Name,
    Percentage,
    PositiveDuration,
    Quantity,
    Weight,
    refuse_unless,
)
from tidegate_operator.api.gates import Gates
from tidegate_operator.api.placement import NodeSelector, Tolerations
from tidegate_operator.api.resource import Resource, Written
from tidegate_operator.api.status import ModelDeploymentStatus


class Strategy(StrEnum):
    """How a new version comes into service."""

    CANARY = "Canary"
    IMMEDIATE = "Immediate"


class Inconclusive(StrEnum):
    """What becomes of a candidate that maxDuration proved neither good nor bad."""

    HOLD = "Hold"
    PROMOTE = "Promote"
    ROLLBACK = "Rollback"


class CheckType(StrEnum):
    """What a check counts."""

    ERROR_RATE = "ErrorRate"
    LATENCY = "Latency"


class Trip(StrEnum):
    """What needs no statistics: one such fact takes a candidate back."""

    NOT_FINITE = "NotFinite"
    CRASH_LOOP = "CrashLoop"
    OUT_OF_MEMORY = "OutOfMemory"


class Requests(Written):
    """What each predictor pod is scheduled with."""

    cpu: Quantity = "250m"
    """Processor cores that a pod is sure of, such as 250m for a quarter of a core. Default: 250m."""
    memory: Quantity = "256Mi"
    """Memory that a pod is sure of, such as 256Mi. Default: 256Mi."""


class Limits(Written):
    """What each predictor pod may use at most."""

    cpu: Quantity = "1"
    """Processor cores that a pod may use; the predictor runs as many threads, rounded up. Default: 1."""
    memory: Quantity = "512Mi"
    """Memory above which a pod is killed and, as a candidate, taken back. Default: 512Mi."""


def _fits(resource: str, default_limit: str) -> tuple[str, str]:
    """Kubernetes itself would only refuse the pods, long after `kubectl apply` said that all is well."""
    request, limit = f"string(self.requests.{resource})", f"string(self.limits.{resource})"
    # What is no quantity at all is refused at its own field; here it would only add noise.
    compared = f"quantity({request}).compareTo(quantity({limit})) <= 0"
    return (
        f"!isQuantity({request}) || !isQuantity({limit}) || {compared}",
        (
            f"requests.{resource} must not be larger than limits.{resource}; "
            f"raise spec.serving.resources.limits.{resource} (default {default_limit})"
        ),
    )


class Resources(Written):
    """Processor and memory of each predictor pod."""

    model_config = ConfigDict(json_schema_extra=refuse_unless(_fits("cpu", "1"), _fits("memory", "512Mi")))

    requests: Requests = Requests()
    """What each predictor pod is scheduled with. Default: cpu 250m, memory 256Mi."""
    limits: Limits = Limits()
    """What each predictor pod may use at most. Default: cpu 1, memory 512Mi."""


class Startup(Written):
    """How long a predictor pod may take to become ready."""

    timeout: PositiveDuration = "60s"
    """Time from its start within which a candidate must be ready (fetched, verified, loaded, golden rows
    answered); after it the candidate is taken back, unless something outside keeps it from starting (a store, a
    Secret, an image, a quota, a node): then it waits without traffic. Default: 60s.
    """


class Serving(Written):
    """The pods that serve."""

    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Predictor pods of the version in service, 0 to 1000. Zero stops serving, and needs the strategy
    Immediate. Default: 1.
    """
    resources: Resources = Resources()
    """Processor and memory of each predictor pod."""
    startup: Startup = Startup()
    """How long a predictor pod may take to become ready."""
    node_selector: NodeSelector = Field(default_factory=dict)
    """Labels that a node needs for the pods to run there, the one that holds the gates included, such as
    {"pool": "models"}. Another selector makes another revision, which is rolled out like another version, since other
    nodes answer at another speed. Default: every node.
    """
    tolerations: Tolerations = ()
    """Taints of nodes that the pods put up with, as in a pod's spec. Others make another revision. Default: none."""


class Step(Written):
    """One step of a rollout: a share of the traffic for the candidate, kept until the checks are Good."""

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "has(self.mirror) != has(self.weight)",
                'a step has exactly one of mirror and weight; write {"mirror": 100} or {"weight": 5}',
            )
        )
    )

    mirror: MirrorShare | None = None
    """Percent of the requests that are copied to the candidate, whose answers are dropped: no user meets
    them. 1 to 100, such as 100. Default: none.
    """
    weight: Weight | None = None
    """Percent of the requests that the candidate answers, 1 to 99, such as 5. Default: none."""
    hold: Duration = "1m"
    """Least time at this step, however good the checks are, such as 10m. Default: 1m."""


class Check(Written):
    """One comparison of the candidate with the version in service, over the same time."""

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "self.type != 'Latency' || has(self.threshold)",
                'a check of type Latency needs a threshold; write, say, threshold: "500ms"',
            ),
            (
                "self.type == 'Latency' || !has(self.threshold)",
                "only a check of type Latency has a threshold; remove it, or write type: Latency",
            ),
        )
    )

    type: CheckType
    """What is counted. ErrorRate: answers 4xx and 5xx, and requests without an answer. Latency: requests
    slower than threshold.
    """
    tolerance: Percentage = "1%"
    """Harm that is still accepted, in points of all requests: with 1%, a candidate proves itself when its
    share is surely less than 1 point above stable's. Default: 1%.
    """
    threshold: PositiveDuration | None = None
    """Latency only: requests that take longer are counted, such as 500ms; rounded up to the router's next
    histogram bound. Default: none.
    """


_UNIQUE = (
    "self.all(a, self.exists_one(b, b.type == a.type && "
    "(has(b.threshold) ? b.threshold : '') == (has(a.threshold) ? a.threshold : '')))"
)


class Analysis(Written):
    """The evidence that a candidate is judged by."""

    max_false_rollback: Percentage = "1%"
    """Chance, over the whole rollout and all checks, of taking back a candidate that is as good as the
    version in service. Smaller waits for more evidence. Default: 1%, one in a hundred.
    """
    max_false_promotion: Percentage = "5%"
    """Chance of promoting a candidate whose harm is larger than a check's tolerance. Smaller waits for more
    evidence. Default: 5%, one in twenty.
    """
    min_requests_per_step: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """Requests that the candidate must have answered within a step (mirrored ones too) before the step is
    left, 1 to 1000000. Default: 50.
    """
    checks: Annotated[
        tuple[Check, ...],
        Field(
            max_length=10,
            json_schema_extra=refuse_unless(
                (
                    _UNIQUE,
                    "each check may stand only once; remove the one whose type and threshold repeat",
                )
            ),
        ),
    ] = (
        Check(type=CheckType.ERROR_RATE),
        Check(type=CheckType.LATENCY, threshold="500ms", tolerance="5%"),
    )
    """Comparisons that must all be Good before a step is left; one that is Bad takes the candidate back. At
    most 10. Default: ErrorRate with tolerance 1%, Latency above 500ms with tolerance 5%.
    """
    trips: Annotated[
        tuple[Trip, ...], Field(max_length=3, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = tuple(Trip)
    """Facts that take a candidate back at once. NotFinite: it answered NaN or infinity and stable did not.
    CrashLoop, OutOfMemory: its pods end. Default: all three.
    """


# Strictly: sorted, and each weight only once.
_ASCENDING = (
    "self.filter(s, has(s.weight)).map(s, s.weight).isSorted() && "
    "self.all(a, !has(a.weight) || self.exists_one(b, has(b.weight) && b.weight == a.weight))"
)
_MIRRORS_FIRST = "self.map(s, has(s.weight) ? 1 : 0).isSorted()"


class Rollout(Written):
    """How a new version comes into service."""

    strategy: Strategy = Strategy.CANARY
    """Canary: by steps, compared with the version in service, and taken back if it does harm. Immediate: all
    traffic as soon as its pods are ready. Default: Canary.
    """
    steps: Annotated[
        tuple[Step, ...],
        Field(
            min_length=1,
            max_length=20,
            json_schema_extra=refuse_unless(
                (
                    _MIRRORS_FIRST,
                    (
                        "steps that mirror come before steps with a weight; write, say, "
                        '[{"mirror": 100}, {"weight": 5}, {"weight": 50}]'
                    ),
                ),
                (
                    _ASCENDING,
                    (
                        "each weight must be larger than the one before it; write, say, "
                        '[{"weight": 5}, {"weight": 25}, {"weight": 50}]'
                    ),
                ),
            ),
        ),
    ] = (Step(mirror=100), Step(weight=5), Step(weight=25), Step(weight=50))
    """The candidate's shares of the traffic, mirrors first, then weights in ascending order; after the last
    one it is promoted. 1 to 20 steps. Default: mirror 100, then weights 5, 25, 50.
    """
    analysis: Analysis = Analysis()
    """The evidence that a candidate is judged by."""
    on_inconclusive: Inconclusive = Inconclusive.HOLD
    """What becomes of a candidate that is neither proven good nor bad after maxDuration. Hold: it stays at
    its step. Promote, Rollback: it goes. Default: Hold.
    """
    max_duration: PositiveDuration = "24h"
    """Time from a rollout's start after which onInconclusive applies. Default: 24h."""
    keep_warm: Duration = "1h"
    """Time for which the pods of the former version stay up after a promotion, so that going back takes a
    second; 0s takes them down at once. Default: 1h.
    """


class ModelDeploymentSpec(Written):
    """What is to be served, and how it may replace what is served now."""

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "self.serving.replicas > 0 || self.rollout.strategy == 'Immediate'",
                (
                    "no candidate can be compared with zero pods; write spec.serving.replicas: 1 or more, "
                    "or spec.rollout.strategy: Immediate"
                ),
            )
        )
    )

    model: ModelName | None = None
    """The model that is served; it must equal spec.model of the ModelVersion. Default: the ModelDeployment's
    own name.
    """
    model_version: Name
    """Name of the ModelVersion to serve, in the same namespace, such as fraud-7. Changing it starts a
    rollout.
    """
    paused: bool = False
    """True holds every rollout where it is; what serves goes on serving, and a bad candidate is still taken
    back. Default: false.
    """
    serving: Serving = Serving()
    """The pods that serve."""
    gates: Gates = ()
    """What a version has to show before it gets any traffic, under exactly the limits of the pods that serve. At
    most 20. Default: none.
    """
    rollout: Rollout = Rollout()
    """How a new version comes into service."""


class ModelDeployment(Resource):
    """ModelDeployment is a model in service: which ModelVersion, with which resources, and how a new version
    replaces it.
    """

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "self.metadata.name.size() <= 50",
                "choose a metadata.name of at most 50 characters; pods and Services are named after it",
            ),
            (
                "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
                (
                    'choose a metadata.name that begins with a letter and has only lower-case letters, digits and "-", '
                    "such as fraud; a Service is called the same"
                ),
            ),
        )
    )

    spec: ModelDeploymentSpec
    """What is to be served. Only you write it."""
    status: ModelDeploymentStatus = ModelDeploymentStatus()
    """What is so. Only the operator writes it."""
