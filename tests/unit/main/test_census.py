"""What Prometheus is told of ModelDeployments."""

from __future__ import annotations

from tidegate_operator.api.conditions import Condition
from tidegate_operator.api.status import GatesStatus, ModelDeploymentStatus, Phase
from tidegate_operator.main.census import Census
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.observe.store import Key

FRAUD = Key("bank", "fraud")


def looks(*verdicts: str | None) -> dict[str, float]:
    """Counts of ended runs of gates after these looks at one run."""
    metrics = Metrics()
    census = Census(metrics)
    for verdict in verdicts:
        told = GatesStatus(run="fraud-g1", model_version="fraud-2", revision="fraud-1", verdict=verdict)
        census.count(FRAUD, ModelDeploymentStatus(phase=Phase.QUALIFYING, gates=told))
    samples = (sample for metric in metrics.gate_runs.collect() for sample in metric.samples)
    return {sample.labels["verdict"]: sample.value for sample in samples if sample.name.endswith("_total")}


def test_a_run_of_gates_is_counted_once_when_it_ends():
    assert looks(None, None) == {}
    assert looks(None, "Bad", "Bad") == {"Bad": 1.0}


def test_what_an_operator_finds_ended_another_has_counted():
    assert looks("Good", "Good") == {}


def troubles(metrics: Metrics) -> set[tuple[str, str, str]]:
    (family,) = metrics.trouble.collect()
    return {tuple(sample.labels.values()) for sample in family.samples}


def conditions(**holds: str) -> ModelDeploymentStatus:
    told = (
        Condition(
            type=kind, status=status, reason="Why", message="", observed_generation=1, last_transition_time=""
        )
        for kind, status in holds.items()
    )
    return ModelDeploymentStatus(conditions=tuple(told))


def test_who_is_in_trouble_is_named_as_long_as_it_lasts():
    metrics = Metrics()
    census = Census(metrics)
    census.count(FRAUD, conditions(Ready="False", Stalled="True", Available="False"))
    assert troubles(metrics) == {("bank", "fraud", "Stalled"), ("bank", "fraud", "Unavailable")}
    census.count(FRAUD, conditions(Ready="False", Stalled="True", Available="True"))
    assert troubles(metrics) == {("bank", "fraud", "Stalled")}
    census.count(FRAUD, conditions(Ready="True", Stalled="False", Available="True"))
    assert troubles(metrics) == set()


def test_who_is_gone_is_in_no_trouble():
    metrics = Metrics()
    census = Census(metrics)
    census.count(FRAUD, conditions(Stalled="True"))
    census.forget(FRAUD)
    assert troubles(metrics) == set()
