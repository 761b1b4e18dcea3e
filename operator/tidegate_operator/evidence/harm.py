"""The harm of a candidate: its share of events minus stable's, estimated and bounded.

Bounded by betting against "the harm is at least h". A request, on the candidate with probability w, pays
    1 − θ                       if it is an event of the candidate,
    1 + λ·(h + 1/(1−w))         if it is an event of stable,
    1 + λ·h                     if it is no event,           λ = θ·w / (1 − w·h),  0 < θ < 1.
Its mean is 1 + λ·(h − harm), so the product over requests is a supermartingale that starts at 1 while the
harm is h or more, whatever the two rates are and however they move, and the chance that it ever reaches
1/β is at most β (Ville). It needs counts only. θ is mixed over a grid: near 1 for candidates without an
event, about h·(1−w)/rate otherwise. It grows with h, so the h at which it reaches 1/β bounds the harm.
Source: betting confidence sequences, Waudby-Smith & Ramdas, arXiv 2010.09686, on the inverse-propensity
estimate of the harm, as in Waudby-Smith et al., arXiv 2210.10768.

The split is the observed one: given the exposures, the expectation is at most 1 at every fixed time
(inequality of the means); over repeated looks it is simulated, see tests/unit/evidence and
bench/evidence_simulation.py.
"""

import numpy as np

from tidegate_operator.evidence.counts import Counts, Floats
from tidegate_operator.evidence.mixture import log_mix, sum_since

_STAKES = 0.999 * np.geomspace(1.0, 0.001, 16)
_LOG_LOSSES = np.log1p(-_STAKES)
_LOG_PRIOR = np.log(np.sqrt(_STAKES) / np.sqrt(_STAKES).sum())
_EIGHT = np.linspace(0.0, 1.0, 8)


def excess_since(counts: Counts) -> Floats:
    """For each step, the estimated harm over all that came since it: nan where nothing can be compared.

    The candidate's events beyond what stable's share in the same step predicts, per exposure of the
    candidate, so that a rate which moves between steps is not taken for harm.
    """
    stable_share = counts.stable_events / np.maximum(counts.stable_exposures, 1.0)
    excess = counts.candidate_events - counts.candidate_exposures * stable_share
    both = np.stack([excess, counts.candidate_exposures], axis=-1) * counts.comparable[..., None]
    since = sum_since(both)
    excess, exposures = since[..., 0], since[..., 1]
    known = exposures > 0
    share: Floats = np.where(known, excess / np.where(known, exposures, 1.0), np.nan)
    return share


def log_wealth_by_stake(counts: Counts, harm: Floats | float, *, dispersion: float) -> Floats:
    """The log wealth of each stake θ after betting against "the harm is at least `harm`" in all steps.

    `harm` is above −1 and broadcasts against the leading axes of the counts; the stakes are the last axis.
    """
    split = counts.candidate_split[..., None]
    harm = np.asarray(harm, dtype=np.float64)[..., None, None]
    bet = _STAKES * (split / (1.0 - split * harm))
    quiet = (counts.candidate_exposures + counts.stable_exposures - counts.events)[..., None]
    log_wealth = quiet * np.log1p(bet * harm)
    log_wealth += counts.candidate_events[..., None] * _LOG_LOSSES
    log_wealth += counts.stable_events[..., None] * np.log1p(bet * (harm + 1.0 / (1.0 - split)))
    log_wealth *= counts.comparable[..., None] / dispersion
    wealth: Floats = log_wealth.sum(axis=-2)
    return wealth


def log_wealth(log_wealth_by_stake: Floats) -> Floats:
    """The log wealth of the mixture over stakes, which are the last axis."""
    return log_mix(log_wealth_by_stake, _LOG_PRIOR)


def bound_harm(
    counts: Counts, *, between: tuple[float, float], log_needed: float, dispersion: float
) -> float:
    """The least harm that the bets exclude together with all above it, rounded up within `between`.

    To a fiftieth of that interval, whose upper end must be excluded already; `counts` is of one rollout.
    """
    low, high = between
    for _ in range(2):
        harms = low + (high - low) * _EIGHT
        excluded = log_wealth(log_wealth_by_stake(counts, harms, dispersion=dispersion)) >= log_needed
        first = int(np.argmax(excluded)) if excluded.any() else _EIGHT.size - 1
        low, high = float(harms[max(first - 1, 0)]), float(harms[first])
    return min(high, between[1])
