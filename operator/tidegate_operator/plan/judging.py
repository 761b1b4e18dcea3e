"""Judging a candidate: the counts of a rollout's steps go in, one finding a check comes out."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from tidegate.counts import LATENCY_BOUNDS_MS
from tidegate.quantities import parse_seconds, parse_share
from tidegate_operator.api.model_deployment import Analysis, Check, CheckType, Limits, Trip
from tidegate_operator.api.status import CheckCounts, Count, RolloutStatus, StepCounts
from tidegate_operator.evidence.budget import share_budget
from tidegate_operator.evidence.compare import compare
from tidegate_operator.evidence.counts import Pair, Tally
from tidegate_operator.evidence.rule import Question
from tidegate_operator.evidence.trips import judge_crash_loop, judge_not_finite, judge_out_of_memory
from tidegate_operator.evidence.verdict import Finding
from tidegate_operator.plan.facts import Traffic, Trouble, Workload


def name_check(check: Check) -> str:
    """What a check is called in status: its type, and for latency the threshold, so that two can stand side by side."""
    return f"{check.type}>{check.threshold}" if check.type is CheckType.LATENCY else str(check.type)


def add_traffic(counts: StepCounts, analysis: Analysis, *, candidate: Traffic, stable: Traffic) -> StepCounts:
    """The counts of a step with what was seen since added to them."""
    before = {entry.check: entry for entry in counts.checks}
    checks = tuple(
        CheckCounts(
            check=name_check(check),
            candidate=_add(before.get(name_check(check)), "candidate", _measure(check, candidate)),
            stable=_add(before.get(name_check(check)), "stable", _measure(check, stable)),
        )
        for check in analysis.checks
    )
    return counts.model_copy(
        update={
            "candidate_requests": counts.candidate_requests + candidate.requests,
            "stable_requests": counts.stable_requests + stable.requests,
            "candidate_not_finite": counts.candidate_not_finite + candidate.not_finite,
            "stable_not_finite": counts.stable_not_finite + stable.not_finite,
            "checks": checks,
        }
    )


def judge(steps: Sequence[StepCounts], analysis: Analysis) -> tuple[Finding, ...]:
    """One finding for each check, over all steps so far; the budget for false rollbacks is shared over them."""
    if not analysis.checks:
        return ()
    alpha = share_budget(parse_share(analysis.max_false_rollback), len(analysis.checks))
    return tuple(_judge_check(check, steps, analysis, alpha) for check in analysis.checks)


def find_trip(
    rollout: RolloutStatus, analysis: Analysis, *, workload: Workload | None, limits: Limits
) -> Finding | None:
    """What needs no statistics: one such fact is enough to take a candidate back."""
    pods = workload.pods if workload else ()
    restarts = max((pod.restarts for pod in pods), default=0) - rollout.restarts
    kills = sum(pod.trouble is Trouble.OUT_OF_MEMORY for pod in pods)
    findings = {
        Trip.NOT_FINITE: next(filter(None, map(_judge_not_finite, rollout.steps)), None),
        Trip.OUT_OF_MEMORY: judge_out_of_memory(kills, limits.memory),
        Trip.CRASH_LOOP: judge_crash_loop(restarts),
    }
    return next((finding for trip, finding in findings.items() if finding and trip in analysis.trips), None)


def _judge_not_finite(counts: StepCounts) -> Finding | None:
    return judge_not_finite(counts.candidate_not_finite, counts.stable_not_finite)


def _judge_check(check: Check, steps: Sequence[StepCounts], analysis: Analysis, alpha: float) -> Finding:
    name = name_check(check)
    pairs = [
        Pair(candidate=_tally(entry.candidate), stable=_tally(entry.stable))
        for counts in steps
        for entry in counts.checks
        if entry.check == name
    ]
    question = Question(
        tolerance=parse_share(check.tolerance),
        max_false_rollback=alpha,
        max_false_promotion=parse_share(analysis.max_false_promotion),
        event=_event_words(check),
    )
    return compare(name, pairs, question)


def _measure(check: Check, traffic: Traffic) -> Tally:
    if check.type is CheckType.ERROR_RATE:
        return Tally(min(traffic.failed, traffic.requests), traffic.requests)
    return traffic.slower_than(_bound_index(check))


def _bound_index(check: Check) -> int:
    """The router's bin that the threshold falls into: it is rounded up, so no request is called slow that is not."""
    milliseconds = parse_seconds(check.threshold or "500ms") * 1000
    return min(bisect.bisect_left(LATENCY_BOUNDS_MS, milliseconds), len(LATENCY_BOUNDS_MS) - 1)


def _event_words(check: Check) -> str:
    if check.type is CheckType.ERROR_RATE:
        return "failed"
    return f"took longer than {LATENCY_BOUNDS_MS[_bound_index(check)]:g} ms"


def _tally(count: Count) -> Tally:
    return Tally(count.events, count.exposures)


def _add(before: CheckCounts | None, side: str, more: Tally) -> Count:
    count: Count = getattr(before, side) if before else Count()
    return Count(events=count.events + more.events, exposures=count.exposures + more.exposures)
