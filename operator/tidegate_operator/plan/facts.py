"""What was seen: the values that a plan is made from, parsed once where they were read and frozen since."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidegate.gate_report import OwnReport, Report
from tidegate.history import Stay
from tidegate.verdict import Verdict
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.evidence.counts import Tally
from tidegate_operator.plan.release_policy import NotSigned, Vouching

Manifest = Mapping[str, Any]
"""A Kubernetes object as it is written to the API server."""


class Trouble(StrEnum):
    """Why a pod is not ready, as far as Kubernetes or the predictor itself says."""

    IMAGE_PULL = "ImagePull"
    CRASH_LOOP = "CrashLoop"
    OUT_OF_MEMORY = "OutOfMemory"
    UNSCHEDULABLE = "Unschedulable"
    START_FAILED = "StartFailed"  # the predictor left a termination message
    NOT_ALLOWED = "NotAllowed"  # quota, admission or a missing Secret


@dataclass(frozen=True, slots=True)
class PodFact:
    """One predictor pod."""

    name: str
    ready: bool
    restarts: int = 0
    running_since: datetime | None = None
    """Since when its container runs; none while it does not."""
    trouble: Trouble | None = None
    reason: str = ""
    """For START_FAILED the `StartFailure`; else Kubernetes' own word."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of one revision."""

    wanted: int
    pods: tuple[PodFact, ...] = ()
    refusal: str = ""
    """Why pods can't even be created (quota, admission), in the API server's words."""

    @property
    def ready(self) -> int:
        """Pods that answer."""
        return sum(pod.ready for pod in self.pods)


@dataclass(frozen=True, slots=True)
class OwnEnd:
    """How a user's own gate ended."""

    verdict: Verdict
    report: OwnReport


@dataclass(frozen=True, slots=True)
class GateRun:
    """The Job that holds the gates of one candidate."""

    name: str
    predictor: PodFact | None = None
    """The predictor in its pod, which is never ready for us: it answers the gates alone. None: there is no pod yet."""
    report: Report | None = None
    """What the gates said; none: they have not ended, or have left none."""
    own: Mapping[int, OwnEnd] = field(default_factory=dict)
    """How the user's own gates ended, by their place among these."""
    failure: str = ""
    """Why they ended without a report."""
    ended_at: str = ""
    """When they ended (RFC 3339); empty: they have not."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A ControllerRevision: a ModelVersion as it was rendered the first time, never rendered again."""

    name: str
    number: int
    model_version: str
    digest: str
    template: Manifest
    """The Deployment as first rendered; only its replicas change."""
    promoted: bool = False
    """Whether it has been stable; then it may come back without a rollout."""
    history: tuple[Stay, ...] = ()
    """When it served or was tried, the latest last."""
    recorded: tuple[Stay, ...] = ()
    """As much of that as its record tells."""
    passed: str = ""
    """The run of gates that it passed last; empty: none."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the routers counted for one revision since the last plan was stored."""

    requests: int = 0
    failed: int = 0
    """Answers 4xx and 5xx, and requests that got none."""
    latency: tuple[int, ...] = ()
    """Requests by `tidegate.counts.LATENCY_BOUNDS_MS`, one bin more than bounds."""
    not_finite: int = 0
    """Rows answered NaN or infinity, as the predictors counted."""
    healthy: int = 0
    """Endpoints that every router holds healthy, now: traffic may follow only these."""

    def slower_than(self, bound_index: int) -> Tally:
        """Requests slower than LATENCY_BOUNDS_MS[bound_index], among all that have a latency."""
        return Tally(sum(self.latency[bound_index + 1 :]), sum(self.latency))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known of one ModelDeployment at one moment."""

    deployment: ModelDeployment
    version: ModelVersion | None
    """The ModelVersion that the spec names; none if there is none."""
    revisions: tuple[Revision, ...] = ()
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    """By revision."""
    traffic: Mapping[str, Traffic] = field(default_factory=dict)
    """By revision."""
    routers: int = 0
    """Routers that answered the last look."""
    routes_known: bool = False
    """Whether each of these routers goes by the routes as they were decided last."""
    router: Workload | None = None
    """The pods of the namespace's router; none if it is not there."""
    gate_runs: Mapping[str, GateRun] = field(default_factory=dict)
    """Jobs that hold gates, by name."""
    vouchings: Mapping[str, Vouching] = field(default_factory=dict)
    """By ModelVersion: what the release policies say of the one that the spec names, and of the candidate's."""
    seen_seconds: float = math.inf
    """For how long the API server has told us without fail what is so."""
    refusal: str = ""
    """What the API server said no to at the last look (quota, admission, rights), in one sentence; empty: nothing."""

    @property
    def is_open(self) -> bool:
        """Whether a router of the namespace takes requests: without one, pods that are ready answer nobody."""
        return self.router is not None and self.router.ready > 0

    def find_unsigned(self, version: str) -> NotSigned | None:
        """Why a ModelVersion may not be loaded here; none: it may, or there is no such ModelVersion."""
        found = self.vouchings.get(version)
        return found if isinstance(found, NotSigned) else None
