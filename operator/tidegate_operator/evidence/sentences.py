"""The sentence with which a check gives its reason to users."""

from tidegate_operator.evidence.counts import Tally
from tidegate_operator.evidence.rule import Question


def describe_bad(candidate: Tally, stable: Tally, question: Question, *, since_step: int) -> str:
    """Both shares, and that the difference is no chance; names the step if the fault came after the first."""
    return (
        f"{_both(candidate, stable, question)}{_since(since_step)}: more than chance explains at "
        f"{_percent(question.max_false_rollback)}, and more than the {_points(question.tolerance)} allowed"
    )


def describe_good(candidate: Tally, stable: Tally, question: Question, *, harm_at_most: float) -> str:
    """Both shares, and the bound on the harm beside what is allowed."""
    bound = f"at most {_points(harm_at_most)} worse" if harm_at_most > 0 else "not worse"
    return f"{_both(candidate, stable, question)}: {bound}, {_points(question.tolerance)} allowed"


def describe_unseen(candidate: Tally, stable: Tally, *, more_requests: int | None) -> str:
    """That one side had no requests, and about how many it takes at best."""
    if candidate.exposures:
        seen = f"stable had no requests to compare with the {candidate.exposures} of the candidate"
    elif stable.exposures:
        seen = f"the candidate had no requests yet, stable had {stable.exposures}"
    else:
        seen = "no requests yet"
    return f"{seen}: about {more_requests} requests of the candidate prove it if none goes wrong"


def describe_leaning_bad(
    candidate: Tally, stable: Tally, question: Question, *, since_step: int, more_requests: int | None
) -> str:
    """That the harm seen is above what is allowed, without proof so far."""
    more = (
        "" if more_requests is None else f"; about {more_requests} more requests of the candidate settle it"
    )
    return (
        f"{_both(candidate, stable, question)}{_since(since_step)}: more than the "
        f"{_points(question.tolerance)} allowed, but chance could still explain it{more}"
    )


def describe_leaning_good(
    candidate: Tally, stable: Tally, question: Question, *, more_requests: int | None
) -> str:
    """What was seen, and about how many more requests of the candidate prove that it does no harm."""
    more = "many" if more_requests is None else f"about {more_requests}"
    return f"{_both(candidate, stable, question)}: {more} more requests of the candidate prove it"


def _since(step: int) -> str:
    return f" since step {step}" if step > 1 else ""


def _both(candidate: Tally, stable: Tally, question: Question) -> str:
    return (
        f"{candidate.events} of {candidate.exposures} requests of the candidate {question.event}"
        f"{_share(candidate)}, {stable.events} of {stable.exposures} of stable{_share(stable)}"
    )


def _share(tally: Tally) -> str:
    return f" ({_percent(tally.share)})" if tally.events else ""


def _percent(share: float) -> str:
    return f"{_number(100.0 * share)} %"


def _points(share: float) -> str:
    number = _number(100.0 * share)
    return f"{number} point" if number == "1" else f"{number} points"


def _number(value: float) -> str:
    """One decimal from 1 on and two digits below, without noughts that say nothing: 32.8, 1, 0.17, 0.0021."""
    if abs(value) >= 1.0 or value == 0.0:
        return f"{value:.1f}".removesuffix(".0")
    digits = f"{value:.2g}"
    return f"{float(digits):.10f}".rstrip("0").rstrip(".") if "e" in digits else digits
