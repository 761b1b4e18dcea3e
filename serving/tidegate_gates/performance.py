"""The performance gate: how well a candidate predicts rows that were held out, by itself and beside stable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tidegate.gates import Comparison, Finding, GateResult, Metric, PerformanceGate, conclude
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
    compared = _find_comparison(wanted)
    if compared is None:
        return
    limits = _find_limits(wanted.name, metric, compared, gate)
    if rows.stable is None:
        message = f"{wanted.name} is {_show(estimate)}; there is no version in service to compare it with"
        yield Finding(wanted.name, Verdict.GOOD, message)
    elif isinstance(limits, str):
        yield Finding(wanted.name, Verdict.NOT_ENOUGH, limits)
    else:
        pair = candidate, Evaluated(task, rows.labels, rows.stable, choices)
        yield from _compare(wanted.name, metric, pair, limits)
        judged = judge_slices(metric, pair, find_slices(rows.groups), limits, least_rows=gate.least_rows)
        yield from _tell_slices(wanted.name, judged, limits)


def _find_comparison(wanted: Metric) -> Comparison | None:
    """A metric of which nothing is wanted is compared: there would be no reason to name it."""
    alone = wanted.at_least is None and wanted.at_most is None
    return wanted.compared or (Comparison() if alone else None)


def _find_limits(
    name: str, metric: metrics.Metric, compared: Comparison, gate: PerformanceGate
) -> Limits | str:
    """What the user accepts, or one sentence on what is to be written."""
    tolerance = float(compared.tolerance) if compared.tolerance else metric.tolerance
    detect = float(compared.detect) if compared.detect else metric.detect
    if tolerance is None or detect is None:
        return (
            f"{name} is in the unit of the label: write compared: {{tolerance: …, detect: …}} with the harm that is "
            "accepted and the harm that must not pass"
        )
    if detect <= tolerance:
        return f"{name} has detect {detect:g}, which must be larger than its tolerance of {tolerance:g}"
    return Limits(tolerance, detect, float(gate.level))


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
    if isinstance(candidate, Undefined) or isinstance(stable, Undefined):
        reason = next(one.reason for one in (candidate, stable) if isinstance(one, Undefined))
        yield Finding(name, Verdict.NOT_ENOUGH, f"{name} can't be compared: {reason}")
        return
    harm = find_harm(candidate, stable, higher_is_better=metric.higher_is_better)
    figures = f"{name} is {candidate.value:.4g}, of the version in service {stable.value:.4g}"
    message = f"{figures} on the same {harm.rows:,} rows: {_say(judge(harm, limits), harm, limits)}"
    yield Finding(name, judge(harm, limits), message)


def _say(verdict: Verdict, harm: Harm, limits: Limits) -> str:
    if verdict is Verdict.BAD:
        return (
            f"worse by {harm.value:.4g}, surely by more than {max(limits.tolerance, harm.surely_above(limits)):.4g}; "
            f"{limits.tolerance:g} is accepted"
        )
    if verdict is Verdict.NOT_ENOUGH:
        return (
            f"these rows could not show that it is worse by {limits.detect:g}; about {harm.rows_needed(limits):,} "
            "could"
        )
    way = f"worse by {harm.value:.4g}" if harm.value > 0 else f"better by {-harm.value:.4g}"
    return f"{way}, not surely worse by more than the accepted {limits.tolerance:g}"


def _tell_slices(name: str, judged: tuple[Judged, ...], limits: Limits) -> Iterator[Finding]:
    for one in judged[:SLICES_TOLD]:
        figures = f"{name} is {one.candidate:.4g} for {one.slice}, of the version in service {one.stable:.4g}"
        if one.verdict is Verdict.NOT_ENOUGH:
            # Told, and in nobody's way: a small group can't hold up every release.
            message = f"{figures} on {one.rows:,} rows, too few to judge"
            yield Finding(f"{name}, {one.slice}", Verdict.GOOD, message)
        else:
            message = f"{figures} on the same {one.rows:,} rows: {_say(one.verdict, one.harm, limits)}"
            yield Finding(f"{name}, {one.slice}", one.verdict, message)
    if len(judged) > SLICES_TOLD:
        left = f"{len(judged) - SLICES_TOLD} more groups, none of them worse than these"
        yield Finding(f"{name}, other groups", Verdict.GOOD, left)


def _show(estimate: Estimate) -> str:
    spread = _INTERVAL * estimate.standard_error
    return f"{estimate.value:.4g} ({estimate.value - spread:.4g} to {estimate.value + spread:.4g})"
