"""Counts in, verdicts with their reasons out: pure functions that know no client, clock or chance."""

from tidegate_operator.evidence.budget import share_budget
from tidegate_operator.evidence.compare import compare
from tidegate_operator.evidence.counts import Pair, Tally
from tidegate_operator.evidence.rule import Question
from tidegate_operator.evidence.trips import judge_crash_loop, judge_not_finite, judge_out_of_memory
from tidegate_operator.evidence.verdict import Finding, Verdict

__all__ = [
    "Finding",
    "Pair",
    "Question",
    "Tally",
    "Verdict",
    "compare",
    "judge_crash_loop",
    "judge_not_finite",
    "judge_out_of_memory",
    "share_budget",
]
