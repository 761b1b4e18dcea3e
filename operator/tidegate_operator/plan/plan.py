"""A plan: what should be done about one ModelDeployment, as data, and for each thing the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tidegate.history import Stay
from tidegate_operator.api.status import ModelDeploymentStatus
from tidegate_operator.plan.facts import Manifest


@dataclass(frozen=True, slots=True)
class Route:
    """Where the requests of one ModelDeployment go."""

    stable: str
    """The revision that answers; its share is what the candidate does not get."""
    candidate: str | None = None
    weight: int = 0
    """Percent of requests that the candidate answers."""
    mirror: int = 0
    """Percent of stable's requests that are copied to the candidate; its answers are dropped."""
    warm: tuple[str, ...] = ()
    """Further revisions whose endpoints the router keeps known, so that going back to them is one write."""


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes event about the ModelDeployment."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Note:
    """One change with its reason: the same words in the log and in the golden transcripts."""

    subject: str
    change: str
    because: str

    def __str__(self) -> str:
        """One line, as logs and transcripts show it."""
        return f"{self.subject:<8}{self.change:<28} because {self.because}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in the order of the fields: the route is first, since leaving a bad candidate waits for nothing."""

    route: Route | None
    """None: nothing serves yet."""
    apply: tuple[Manifest, ...]
    """Objects that should be so, complete, for server-side apply."""
    delete: tuple[tuple[str, str], ...]
    """Kind and name of objects that should be gone (Deployment, Service, PodDisruptionBudget)."""
    status: ModelDeploymentStatus
    events: tuple[Event, ...]
    notes: tuple[Note, ...]
    look_again_seconds: float | None
    """When to look again though nothing changed; none: only a change, or the resync, brings us back."""
    histories: Mapping[str, tuple[Stay, ...]] = field(default_factory=dict)
    """By revision: histories of which the records do not tell all yet. They are among what is applied."""
