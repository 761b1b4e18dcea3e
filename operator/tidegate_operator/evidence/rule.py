"""When counts are Bad and when they are Good: the rule, for any number of rollouts at once.

Bad since step j: the e-value against "no worse than stable since step j" reaches 1/α_j, and the harm
estimated since then is above the tolerance. The first alone keeps the promise: an equally good candidate
is called Bad, at any of unlimited looks, with a chance of at most Σ α_j ≤ α. The second spares candidates
that are worse by less than what is allowed. Each step begins a proof of its own because a fault may need
load to show: without this, all good answers to the mirror would have to be outweighed first. The whole
rollout gets the most, α_1 = 3α/4, since most faults are there from the start; α_j = α/(4·j·(j−1)) after.

Good: the bets against "the harm is at least the tolerance" reach 1/β over all steps, and no proof of Bad
has come half its way (on the log scale) with an estimate above the tolerance. The first alone bounds the
chance of calling a candidate Good whose harm is at least the tolerance in every step by β. Without the
second, a candidate that did well for an hour would stay Good while a fault begins to show.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_operator.evidence import harm, worse
from tidegate_operator.evidence.counts import Counts, Floats

_HALFWAY = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """What one check asks.

    `tolerance`: the harm allowed, in absolute share (0.01: the candidate's share of events may lie one
    point above stable's). `max_false_rollback` (α): this check's part of the rollout's budget, see
    `share_budget`. `max_false_promotion` (β): the chance of calling a candidate Good that harms by the
    tolerance or more. `event`: the words for the sentence ("failed", "took longer than 100 ms").
    `dispersion`: 1 where each request falls on a side by itself, as under a weighted route or a mirror; then
    bunches in time cost nothing, since each event of a bunch still chooses its side. Where requests that
    fare alike also stay on one side (sticky sessions, batches split into requests), in bunches of up to
    `dispersion`, all log evidence is divided by it: however the requests of a bunch depend on each other,
    the geometric mean of what they pay is no more than the mean, so both promises hold, and every proof
    takes about `dispersion` times as many requests.

    Raises ValueError for a share outside of 0 to 1 or a dispersion below 1.
    """

    tolerance: float
    max_false_rollback: float
    max_false_promotion: float
    event: str
    dispersion: float = 1.0

    def __post_init__(self) -> None:
        for name in ("tolerance", "max_false_rollback", "max_false_promotion"):
            value = getattr(self, name)
            if not 0.0 < value < 1.0:
                raise ValueError(f"{name} lies between 0 and 1, got {value}")
        if not self.dispersion >= 1.0:
            raise ValueError(f"dispersion is 1 or more, got {self.dispersion}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far the proofs have come: arrays with the steps along the last axis unless said otherwise.

    `log_ratios_since` has the rate ratios, `log_wealth` has the stakes instead of the steps as last axis;
    `log_needed_since` is what `log_e_since` must reach for Bad; `good` has no axis for steps.
    """

    counts: Counts
    log_ratios_since: Floats
    log_e_since: Floats
    log_needed_since: Floats
    harm_since: Floats
    log_wealth: Floats
    suspicious_since: npt.NDArray[np.bool_]
    bad_since: npt.NDArray[np.bool_]
    good: npt.NDArray[np.bool_]


def weigh(counts: Counts, question: Question) -> Evidence:
    """The rule applied to counts."""
    log_ratios_since = worse.log_ratios_since(counts, dispersion=question.dispersion)
    log_e_since = worse.log_e_value(log_ratios_since)
    log_needed_since = _log_needed_since(log_e_since.shape[-1], question.max_false_rollback)
    harm_since = harm.excess_since(counts)
    harmful = harm_since > question.tolerance
    suspicious_since = harmful & (log_e_since >= _HALFWAY * log_needed_since)
    wealth = harm.log_wealth_by_stake(counts, question.tolerance, dispersion=question.dispersion)
    proven = harm.log_wealth(wealth) >= -np.log(question.max_false_promotion)
    return Evidence(
        counts=counts,
        log_ratios_since=log_ratios_since,
        log_e_since=log_e_since,
        log_needed_since=log_needed_since,
        harm_since=harm_since,
        log_wealth=wealth,
        suspicious_since=suspicious_since,
        bad_since=harmful & (log_e_since >= log_needed_since),
        good=proven & ~suspicious_since.any(axis=-1),
    )


def _log_needed_since(steps: int, max_false_rollback: float) -> Floats:
    """The log e-value that is proof, for each step in which it may begin."""
    step = np.arange(1, steps + 1)
    parts = np.where(step == 1, 4.0 / 3.0, 4.0 * step * (step - 1))
    needed: Floats = np.log(parts / max_false_rollback)
    return needed
