"""Facts that need no statistics: one of them is enough to take a candidate back."""

from tidegate_operator.api.model_deployment import Trip
from tidegate_operator.evidence.verdict import Finding, Verdict

RESTARTS_TOLERATED = 2
"""Restarts of one pod that say nothing yet: a node may take it down twice. The next one is a crash loop."""


def judge_not_finite(candidate_rows: int, stable_rows: int) -> Finding | None:
    """Bad if the candidate answered rows with NaN or infinity and stable none, both over the same step.

    Where stable gives them too, the rows are to blame, or the fault is older than the candidate.
    """
    if candidate_rows == 0 or stable_rows > 0:
        return None
    return _trip(
        Trip.NOT_FINITE,
        f"the candidate answered {_count(candidate_rows, 'row')} with NaN or infinity, stable none",
    )


def judge_crash_loop(restarts: int) -> Finding | None:
    """Bad as soon as one of the candidate's containers restarted more often than RESTARTS_TOLERATED."""
    if restarts <= RESTARTS_TOLERATED:
        return None
    return _trip(
        Trip.CRASH_LOOP,
        f"a pod of the candidate restarted {_count(restarts, 'time')}, {RESTARTS_TOLERATED} are tolerated",
    )


def judge_out_of_memory(kills: int, memory_limit: str) -> Finding | None:
    """Bad if a container of the candidate was killed for want of memory, even once.

    `memory_limit` is the limit as the user wrote it, such as 512Mi.
    """
    if kills == 0:
        return None
    return _trip(
        Trip.OUT_OF_MEMORY,
        f"a pod of the candidate was killed {_count(kills, 'time')} at its memory limit of {memory_limit}: "
        "raise spec.serving.resources.limits.memory",
    )


def _trip(trip: Trip, reason: str) -> Finding:
    return Finding(check=trip.value, verdict=Verdict.BAD, reason=reason)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
