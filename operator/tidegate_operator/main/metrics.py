"""Metrics of the operator itself, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """All `tidegate_*` metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconcile_seconds = Histogram(
            "tidegate_reconcile_seconds",
            "Time of one look at a ModelDeployment or router, in seconds.",
            registry=self.registry,
        )
        self.reconcile_errors = Counter(
            "tidegate_reconcile_errors_total",
            "Looks that failed and are tried again.",
            registry=self.registry,
        )
        self.refusals = Counter(
            "tidegate_refusals_total",
            "Looks at which the API server refused a write (quota, admission, rights).",
            registry=self.registry,
        )
        self.unserved = Gauge(
            "tidegate_namespace_unserved",
            "1 for a namespace that the operator has no right to read, 0 once it has.",
            ["namespace"],
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "tidegate_queue_depth", "Keys that are due and wait for a worker.", registry=self.registry
        )
        self.deployments = Gauge(
            "tidegate_deployments", "ModelDeployments by phase.", ["phase"], registry=self.registry
        )
        # Of those in trouble alone: three series for each of a thousand models at rest would be as much memory again.
        self.trouble = Gauge(
            "tidegate_deployment_trouble",
            "1 for a ModelDeployment while it is Stalled, or not Available (Unavailable).",
            ["namespace", "deployment", "condition"],
            registry=self.registry,
        )
        self.verdicts = Counter(
            "tidegate_verdicts_total",
            "Verdicts by check, one for each time a verdict changed.",
            ["check", "verdict"],
            registry=self.registry,
        )
        self.gate_runs = Counter(
            "tidegate_gate_runs_total",
            "Runs of gates that ended, by what they say together.",
            ["verdict"],
            registry=self.registry,
        )
        self.route_changes = Counter(
            "tidegate_route_changes_total", "Splits of traffic that were decided.", registry=self.registry
        )
        self.writes = Counter(
            "tidegate_writes_total", "Objects applied and statuses written.", ["what"], registry=self.registry
        )
