"""How many more requests a proof needs if they go on as those so far."""

import math
from collections.abc import Callable

import numpy as np

from tidegate_operator.evidence import harm
from tidegate_operator.evidence.counts import Counts, Floats

# As many times the requests so far as are looked at, up to 10,000 times as many.
_MULTIPLES = np.concatenate([[1.0], 1.0 + np.geomspace(0.01, 10_000.0, 60)])


def forecast_proof(
    log_terms: Floats, mix: Callable[[Floats], Floats], *, log_needed: float, exposures: int
) -> int | None:
    """About how many more requests of the candidate, after `exposures`, bring the mixture to `log_needed`.

    `log_terms` are what is mixed by `mix`; each grows in proportion to the requests. Rounded up to two
    digits; 0 if it is reached already, None if more of the same would never do or take 10,000 times as many.
    """
    grown = mix(_MULTIPLES[:, None] * log_terms)
    if grown[-1] < log_needed:
        return None
    first = int(np.argmax(grown >= log_needed))
    if first == 0:
        return 0
    # Between two multiples the log grows almost linearly.
    before, after = grown[first - 1 : first + 1]
    part = (log_needed - before) / (after - before)
    multiple = _MULTIPLES[first - 1] + part * (_MULTIPLES[first] - _MULTIPLES[first - 1])
    return round_up((multiple - 1.0) * exposures)


def forecast_unseen(tolerance: float, *, log_needed: float, dispersion: float) -> int | None:
    """About how many requests, none of them an event, prove a candidate of which none was seen yet."""
    one_each = Counts(*(np.array([count]) for count in (0.0, 1.0, 0.0, 1.0)))
    terms = harm.log_wealth_by_stake(one_each, tolerance, dispersion=dispersion)
    return forecast_proof(terms, harm.log_wealth, log_needed=log_needed, exposures=1)


def round_up(requests: float) -> int:
    """Two significant digits, since more of them would look like a promise."""
    unit: int = 10 ** max(0, math.floor(math.log10(max(requests, 1.0))) - 1)
    return int(math.ceil(requests / unit) * unit)
