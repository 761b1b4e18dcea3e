"""The performance gate: how well a candidate predicts rows that were held out, by itself and beside stable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tidegate.gate_report import Finding, GateResult, conclude, worst
from tidegate.gates import Comparison, Metric, PerformanceGate
from tidegate.signature import Task
from tidegate.verdict import Verdict
from tidegate_gates import metrics
from tidegate_gates.estimate import Estimate, Undefined
from tidegate_gates.evaluation import Answered
from tidegate_gates.metrics import Choices, Evaluated
from tidegate_gates.rule import Harm, Limits, find_harm, judge
from tidegate_gates.slices import Judged, find_slices, judge_slices

SLICES_TOLD: Final = 20
"""The worst of them; a report is bounded."""
_WIDER: Final = 10 / 3
_INTERVAL: Final = 1.96
"""Standard errors to either side of a figure: an interval that holds the true one 95 times of 100."""


def judge_performance(name: str, gate: PerformanceGate, task: Task, rows: Answered) -> GateResult:
    """What the gate says. Pure: the rows are answered already."""
    findings = list(_judge_refusals(rows))
    for wanted in gate.metrics:
        findings += _judge_metric(wanted, gate, task, rows)
    return conclude(name, findings)


def _judge_refusals(rows: Answered) -> Iterator[Finding]:
    """What a model does not answer is in no figure; a user would have got an error."""
    candidate, stable = rows.refused
    if not candidate.rows:
        return
    shown = f"the model does not answer {candidate.rows:,} rows ({candidate.example})"
    if rows.stable is None:
        yield Finding("rows answered", Verdict.BAD, shown)
        return
    verdict = Verdict.BAD if candidate.rows > stable.rows else Verdict.GOOD
    yield Finding("rows answered", verdict, f"{shown}, the version in service {stable.rows:,}")


def _judge_metric(wanted: Metric, gate: PerformanceGate, task: Task, rows: Answered) -> Iterator[Finding]:
    metric = metrics.find_metric(wanted.name, task)
    if isinstance(metric, str):
        yield Finding(wanted.name, Verdict.NOT_ENOUGH, metric)
        return
    choices = Choices(float(wanted.threshold), float(wanted.quantile))
    candidate = Evaluated(task, rows.labels, rows.candidate, choices)
    estimate = metric.measure(candidate)
    if isinstance(estimate, Undefined):
        yield Finding(wanted.name, Verdict.NOT_ENOUGH, f"{wanted.name} can't be said: {estimate.reason}")
        return
    yield from _judge_figure(wanted, estimate)
    if _find_comparison(wanted) is not None:
        yield from _judge_comparison(wanted, gate, (candidate, rows), metric)


def _judge_comparison(
    wanted: Metric, gate: PerformanceGate, answered: tuple[Evaluated, Answered], metric: metrics.Metric
) -> Iterator[Finding]:
    candidate, rows = answered
    if not metric.comparable:
        words = f"{wanted.name} is held by atMost only; brier compares how honest two models are"
        yield Finding(wanted.name, Verdict.NOT_ENOUGH, words)
        return
    if rows.stable is None:
        words = f"{wanted.name}: there is no version in service to compare it with"
        yield Finding(wanted.name, Verdict.GOOD, words)
        return
    stable = Evaluated(candidate.task, rows.labels, rows.stable, candidate.choices)
    figure = metric.measure(stable)
    if isinstance(figure, Undefined):
        yield Finding(wanted.name, Verdict.NOT_ENOUGH, f"{wanted.name} can't be compared: {figure.reason}")
        return
    limits = _find_limits(wanted, gate, metric, figure.value)
    if isinstance(limits, str):
        yield Finding(wanted.name, Verdict.NOT_ENOUGH, limits)
        return
    yield from _compare(wanted.name, metric, (candidate, stable), limits)
    for column in gate.slices:
        found = find_slices({column.column: rows.groups[column.column]})
        wider = _widen(limits, column.detect)
        judged = judge_slices(metric, (candidate, stable), found, wider, least_rows=gate.least_rows)
        yield from _tell_slices(wanted.name, judged, wider)


def _find_comparison(wanted: Metric) -> Comparison | None:
    """A metric of which nothing is wanted is compared: there would be no reason to name it."""
    alone = wanted.at_least is None and wanted.at_most is None
    return wanted.compared or (Comparison() if alone else None)


def _find_limits(
    wanted: Metric, gate: PerformanceGate, metric: metrics.Metric, stable: float
) -> Limits | str:
    """What the user accepts, or one sentence on what is to be written."""
    compared = _find_comparison(wanted) or Comparison()
    unit = stable if metric.of_stable else 1.0
    tolerance = float(compared.tolerance) if compared.tolerance else metric.tolerance * unit
    detect = float(compared.detect) if compared.detect else metric.detect * unit
    if detect <= tolerance:
        return (
            f"{wanted.name} has detect {detect:g}, which must be larger than its tolerance of {tolerance:g}"
        )
    # Each comparison alone blocks, so they share the chance to do so by noise.
    compared_metrics = sum(_find_comparison(one) is not None for one in gate.metrics)
    return Limits(tolerance, detect, float(gate.level), compared_metrics * (1 + len(gate.slices)))


def _widen(limits: Limits, detect: str | None) -> Limits:
    """For groups: what some thousand rows tell by three points, some hundred tell by ten."""
    return replace(limits, detect=float(detect) if detect else limits.detect * _WIDER)


def _judge_figure(wanted: Metric, estimate: Estimate) -> Iterator[Finding]:
    shown = f"{wanted.name} is {_show(estimate)} on {estimate.rows:,} rows"
    if wanted.at_least is not None:
        verdict = Verdict.GOOD if estimate.value >= float(wanted.at_least) else Verdict.BAD
        yield Finding(wanted.name, verdict, f"{shown}; at least {wanted.at_least} is wanted")
    if wanted.at_most is not None:
        verdict = Verdict.GOOD if estimate.value <= float(wanted.at_most) else Verdict.BAD
        yield Finding(wanted.name, verdict, f"{shown}; at most {wanted.at_most} is wanted")


def _compare(
    name: str, metric: metrics.Metric, pair: tuple[Evaluated, Evaluated], limits: Limits
) -> Iterator[Finding]:
    candidate, stable = (metric.measure(model) for model in pair)
    assert isinstance(candidate, Estimate)
    assert isinstance(stable, Estimate)
    harm = find_harm(candidate, stable, higher_is_better=metric.higher_is_better)
    verdict = judge(harm, limits)
    figures = f"{name} is {candidate.value:.4g}, of the version in service {stable.value:.4g}"
    yield Finding(name, verdict, f"{figures} on the same {harm.rows:,} rows: {_say(verdict, harm, limits)}")


def _say(verdict: Verdict, harm: Harm, limits: Limits) -> str:
    way = f"worse by {harm.value:.4g}" if harm.value > 0 else f"better by {-harm.value:.4g}"
    if verdict is Verdict.BAD:
        # A tiny slack of rounding must not make it look as if the rule had not held.
        surely = max(limits.tolerance, harm.at_least(limits.level))
        return f"{way}, surely by more than {surely:.4g}; {limits.tolerance:.4g} is accepted"
    if verdict is Verdict.GOOD:
        return f"{way}, surely by less than {limits.detect:.4g}"
    return (
        f"{way}, and these rows show neither that it is worse by more than {limits.tolerance:.4g} nor that it is by "
        f"less than {limits.detect:.4g}; about {harm.rows_needed(limits):,} would"
    )


def _tell_slices(name: str, judged: tuple[Judged, ...], limits: Limits) -> Iterator[Finding]:
    for one in judged[:SLICES_TOLD]:
        figures = f"{name} is {one.candidate:.4g} for {one.slice}, of the version in service {one.stable:.4g}"
        if one.is_small:
            # Told, and in nobody's way: a small group can't hold up every release.
            message = f"{figures} on {one.rows:,} rows, too few to judge"
            yield Finding(f"{name}, {one.slice}", Verdict.GOOD, message)
        else:
            message = f"{figures} on the same {one.rows:,} rows: {_say(one.verdict, one.harm, limits)}"
            yield Finding(f"{name}, {one.slice}", one.verdict, message)
    if len(judged) > SLICES_TOLD:
        # The worst come first, so that none of these is Bad where one of those told is not.
        rest = worst(Verdict.GOOD if one.is_small else one.verdict for one in judged[SLICES_TOLD:])
        left = f"{len(judged) - SLICES_TOLD} more groups, none of them worse than these"
        yield Finding(f"{name}, other groups", rest, left)


def _show(estimate: Estimate) -> str:
    spread = _INTERVAL * estimate.standard_error
    return f"{estimate.value:.4g} ({estimate.value - spread:.4g} to {estimate.value + spread:.4g})"
