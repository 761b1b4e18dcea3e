"""One check: counts of both revisions in, a verdict with its reason out."""

import math
from collections.abc import Sequence

import numpy as np

from tidegate_operator.evidence import forecast, harm, sentences, worse
from tidegate_operator.evidence.counts import Pair, Tally, stack, total
from tidegate_operator.evidence.rule import Evidence, Question, weigh
from tidegate_operator.evidence.verdict import Finding, Verdict


def compare(check: str, pairs: Sequence[Pair], question: Question) -> Finding:
    """The finding of `check` after `pairs`, one a step in the order of the rollout, the last still growing.

    May be called at every look: both promises on errors hold over unlimited looks, see `rule`. The four
    counts of each step are all the state there is. A step in which one side was not exposed counts as unseen.
    """
    evidence = weigh(stack(pairs), question)
    if evidence.bad_since.any():
        return _find_bad(check, pairs, question, evidence)
    if evidence.good:
        return _find_good(check, pairs, question, evidence)
    return _find_not_enough(check, pairs, question, evidence)


def _find_bad(check: str, pairs: Sequence[Pair], question: Question, evidence: Evidence) -> Finding:
    since = _worst_step(evidence, evidence.bad_since)
    candidate, stable = total(pairs[since:])
    reason = sentences.describe_bad(candidate, stable, question, since_step=since + 1)
    return _finding(check, Verdict.BAD, reason, evidence, since=since, tallies=(candidate, stable))


def _find_good(check: str, pairs: Sequence[Pair], question: Question, evidence: Evidence) -> Finding:
    candidate, stable = total(pairs)
    at_most = harm.bound_harm(
        evidence.counts,
        between=(min(float(evidence.harm_since[0]), question.tolerance), question.tolerance),
        log_needed=-math.log(question.max_false_promotion),
        dispersion=question.dispersion,
    )
    reason = sentences.describe_good(candidate, stable, question, harm_at_most=at_most)
    tallies = (candidate, stable)
    return _finding(check, Verdict.GOOD, reason, evidence, tallies=tallies, harm_at_most=at_most)


def _find_not_enough(check: str, pairs: Sequence[Pair], question: Question, evidence: Evidence) -> Finding:
    since = 0
    if evidence.suspicious_since.any():
        since = _worst_step(evidence, evidence.suspicious_since)
    candidate, stable = total(pairs[since:])
    if math.isnan(evidence.harm_since[since]):
        reason = _reason_unseen(candidate, stable, question)
    elif evidence.harm_since[since] > question.tolerance:
        reason = _reason_leaning_bad(candidate, stable, question, evidence, since=since)
    else:
        reason = _reason_leaning_good(candidate, stable, question, evidence)
    return _finding(check, Verdict.NOT_ENOUGH, reason, evidence, since=since, tallies=(candidate, stable))


def _reason_unseen(candidate: Tally, stable: Tally, question: Question) -> str:
    more = forecast.forecast_unseen(
        question.tolerance,
        log_needed=-math.log(question.max_false_promotion),
        dispersion=question.dispersion,
    )
    return sentences.describe_unseen(candidate, stable, more_requests=more)


def _reason_leaning_bad(
    candidate: Tally, stable: Tally, question: Question, evidence: Evidence, *, since: int
) -> str:
    more = forecast.forecast_proof(
        evidence.log_ratios_since[since],
        worse.log_e_value,
        log_needed=float(evidence.log_needed_since[since]),
        exposures=candidate.exposures,
    )
    return sentences.describe_leaning_bad(
        candidate, stable, question, since_step=since + 1, more_requests=more
    )


def _reason_leaning_good(candidate: Tally, stable: Tally, question: Question, evidence: Evidence) -> str:
    more = forecast.forecast_proof(
        evidence.log_wealth,
        harm.log_wealth,
        log_needed=-math.log(question.max_false_promotion),
        exposures=candidate.exposures,
    )
    return sentences.describe_leaning_good(candidate, stable, question, more_requests=more)


def _worst_step(evidence: Evidence, among: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    """The step whose proof is furthest, so that a fault that came late is shown with its own share."""
    surplus = evidence.log_e_since - evidence.log_needed_since
    return int(np.argmax(np.where(among, surplus, -np.inf)))


def _finding(
    check: str,
    verdict: Verdict,
    reason: str,
    evidence: Evidence,
    *,
    tallies: tuple[Tally, Tally],
    since: int = 0,
    harm_at_most: float | None = None,
) -> Finding:
    estimate = float(evidence.harm_since[since])
    return Finding(
        check=check,
        verdict=verdict,
        reason=reason,
        candidate=tallies[0],
        stable=tallies[1],
        harm=None if math.isnan(estimate) else estimate,
        harm_at_most=harm_at_most,
        e_value_log10=round(float(evidence.log_e_since[since]) / math.log(10.0), 2),
    )
