"""A witness: every state that a ModelDeployment's status went through, as the API server told it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from demo.kubectl import Kubectl
from demo.waiting import Deadline, wait_for


@dataclass(frozen=True, slots=True)
class State:
    """What must not come and go while a cause lasts, and the sentence."""

    phase: str
    reason: str
    holds: tuple[str, ...]
    """The conditions that are True."""
    message: str

    @property
    def is_stalled(self) -> bool:
        return "Stalled" in self.holds

    @classmethod
    def of(cls, deployment: dict[str, Any]) -> State:
        status = deployment.get("status", {})
        conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
        ready = conditions.get("Ready", {})
        return cls(
            phase=status.get("phase", ""),
            reason=ready.get("reason", ""),
            holds=tuple(sorted(kind for kind, c in conditions.items() if c["status"] == "True")),
            message=ready.get("message", ""),
        )


@dataclass(slots=True)
class Witness:
    """What was seen so far, by ModelDeployment."""

    seen: dict[str, list[State]] = field(default_factory=lambda: defaultdict(list))

    def phases_of(self, name: str) -> list[tuple[str, str]]:
        """Phase and reason, each as long as it lasted once."""
        return [pair for pair, _ in groupby((state.phase, state.reason) for state in self.seen[name])]

    def holds_of(self, name: str) -> list[tuple[str, ...]]:
        """The conditions that were True, each set as long as it lasted once."""
        return [holds for holds, _ in groupby(state.holds for state in self.seen[name])]

    def until(self, deadline: Deadline, name: str, reason: str) -> None:
        """Waits until it is at a standstill for this reason."""

        def look() -> bool:
            return bool(self.seen[name]) and (self.last(name).reason, self.last(name).is_stalled) == (
                reason,
                True,
            )

        wait_for(deadline, look, last_seen=lambda: (name, self.seen[name][-3:]))

    def last(self, name: str) -> State:
        return self.seen[name][-1]

    def message_of(self, name: str) -> str:
        return self.last(name).message


@contextmanager
def witness(kubectl: Kubectl) -> Iterator[Witness]:
    """Sees all ModelDeployments of a namespace while the block runs; a watch leaves nothing out."""
    found = Witness()
    with kubectl.follow("modeldeployments") as deployments:

        def look() -> None:
            for deployment in deployments:
                found.seen[deployment["metadata"]["name"]].append(State.of(deployment))

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        yield found
    thread.join(timeout=10)
