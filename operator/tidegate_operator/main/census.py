"""The census: how many ModelDeployments are in which phase, and how often verdicts changed."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_operator.api.conditions import ConditionType
from tidegate_operator.api.status import GatesStatus, ModelDeploymentStatus
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.observe.store import Key


class Census:
    """Turns statuses into metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._phases: dict[Key, str] = {}
        self._verdicts: dict[Key, dict[str, str]] = {}
        self._troubles: dict[Key, frozenset[str]] = {}
        self._running: dict[Key, str] = {}
        """Runs of gates that have not ended."""

    def count(self, key: Key, status: ModelDeploymentStatus) -> None:
        """Take a status into account."""
        self._enter(key, str(status.phase or "Unknown"))
        self._tell_troubles(key, frozenset(_find_troubles(status)))
        verdicts = {check.name: check.verdict for check in status.rollout.checks} if status.rollout else {}
        known = self._verdicts.get(key, {})
        for check, verdict in verdicts.items():
            if known.get(check) != verdict:
                self._metrics.verdicts.labels(check, verdict).inc()
        self._verdicts[key] = verdicts
        self._count_gates(key, status.gates)

    def _count_gates(self, key: Key, told: GatesStatus | None) -> None:
        """A run that was under way at the last look and has ended; what is found ended, another has counted."""
        if told and told.verdict is None:
            self._running[key] = told.run
        elif self._running.pop(key, None) and told and told.verdict:
            self._metrics.gate_runs.labels(told.verdict).inc()

    def count_route_change(self) -> None:
        """A split of traffic was decided."""
        self._metrics.route_changes.inc()

    def count_refusal(self) -> None:
        """The API server said no to a write."""
        self._metrics.refusals.inc()

    def forget(self, key: Key) -> None:
        """A ModelDeployment is gone."""
        self._verdicts.pop(key, None)
        self._running.pop(key, None)
        self._tell_troubles(key, frozenset())
        self._enter(key, None)

    def _tell_troubles(self, key: Key, troubles: frozenset[str]) -> None:
        before = self._troubles.pop(key, frozenset())
        for ended in before - troubles:
            self._metrics.trouble.remove(key.namespace, key.name, ended)
        for begun in troubles - before:
            self._metrics.trouble.labels(key.namespace, key.name, begun).set(1)
        if troubles:
            self._troubles[key] = troubles

    def _enter(self, key: Key, phase: str | None) -> None:
        before = self._phases.pop(key, None)
        if before is not None:
            self._metrics.deployments.labels(before).dec()
        if phase is not None:
            self._phases[key] = phase
            self._metrics.deployments.labels(phase).inc()


def _find_troubles(status: ModelDeploymentStatus) -> Iterator[str]:
    holds = {condition.type: condition.status for condition in status.conditions}
    if holds.get(ConditionType.STALLED) == "True":
        yield "Stalled"
    if holds.get(ConditionType.AVAILABLE) == "False":
        yield "Unavailable"
