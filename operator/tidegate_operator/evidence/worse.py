"""The e-process against "the candidate is no worse than stable".

Under a constant split, an event falls on the candidate with probability p(r) = n_c·r / (n_c·r + n_s), r the
ratio of the rates and n the exposures. The likelihood ratio of r against 1, over all events of some steps
and mixed over a grid of r > 1, is a martingale that starts at 1 if r = 1 and a supermartingale if r < 1,
so the chance that it ever reaches x is at most 1/x (Ville), however often one looks. It does not matter
how the rate itself moves in time, since only the side on which an event fell is used.
Source: Lindon & Malek, "Anytime-valid inference for multinomial count data", arXiv 2011.03567.

The split is the observed one. Given the exposures, the expectation is at most 1 at every fixed time also
for finite exposures (hypergeometric against binomial: Hoeffding 1963, theorem 4); that the noise of the
observed split does no harm over repeated looks is not proven but simulated (tests/unit/evidence and
bench/evidence_simulation.py).
"""

import numpy as np

from tidegate_operator.evidence.counts import Counts, Floats
from tidegate_operator.evidence.mixture import log_mix, sum_since

# From "a fifth more" for common events (slow requests) to "hundred times" for rare ones (failures). A ratio
# below the true one still grows, one far above does not: without the small ones, 7 % against 5 % is never
# found.
_RATIOS = np.geomspace(1.2, 100.0, 14)
_LOG_RATIOS = np.log(_RATIOS)
# Somewhat more weight on large ratios: they harm most, and are found within a handful of events.
_LOG_PRIOR = np.log(np.sqrt(_LOG_RATIOS) / np.sqrt(_LOG_RATIOS).sum())


def log_ratios_since(counts: Counts, *, dispersion: float) -> Floats:
    """For each step and each rate ratio, the log likelihood ratio against 1 of all that came since that step.

    Shape as the counts, with the ratios as a further, last axis. Since a fault may begin in a later step,
    each step begins a proof of its own; the caller shares its budget over them.
    """
    split = counts.candidate_split[..., None]
    log_ratios = counts.candidate_events[..., None] * _LOG_RATIOS
    log_ratios -= counts.events[..., None] * np.log1p(split * (_RATIOS - 1.0))
    log_ratios *= counts.comparable[..., None] / dispersion
    return sum_since(log_ratios)


def log_e_value(log_ratios: Floats) -> Floats:
    """The log of the e-value: the mixture over the ratios, which are the last axis."""
    return log_mix(log_ratios, _LOG_PRIOR)
