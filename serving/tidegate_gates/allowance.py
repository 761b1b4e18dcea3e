"""Allowances: what a sample of some rows leaves to chance, where other rows of the same kind are held against it."""

from __future__ import annotations

import math
from typing import Final

from tidegate.baseline import Histogram

_ERRORS: Final = 3.0
"""Standard errors: of some hundred features that are as they were, one exceeds them by chance."""
_BEYOND: Final = 9.24
"""(1 + x)·exp(−x) is a thousandth. Beyond the smallest and the largest of n values lies a share that is distributed as
Beta(2, n − 1), whatever the values are (Wilks, Determination of sample sizes for setting tolerance limits, 1941): more
than x/n of all values lie there once in a thousand."""


def allow_of_share(hits: int, rows: int) -> float:
    """By how much the true share may differ from that of a sample (Wilson's interval, 1927)."""
    share, squared = hits / rows, _ERRORS**2
    middle = (hits + squared / 2) / (rows + squared)
    reach = _ERRORS / (rows + squared) * math.sqrt(hits * (1 - share) + squared / 4)
    return max(middle + reach - share, share - middle + reach)


def allow_beyond_range(values: int) -> float:
    """Share of values that may lie outside of the range of so many."""
    return min(1.0, _BEYOND / values)


def expect_unseen(sample: Histogram, rows: int, *, are_all_known: bool) -> float:
    """Share of texts that may be none of a sample's, as far as it tells itself.

    That is the share of its rows whose text it would not have without them (Good, The population frequencies of
    species, 1953): of texts that are there once, or so rarely that a row less may cost them their place.

    Args:
        sample: Its most frequent texts.
        rows: How many rows it has.
        are_all_known: Whether its other texts are known too, since the signature lists them.
    """
    values = rows - sample.missing
    unlisted = 0 if are_all_known else values - sum(sample.counts)
    rare = min(sample.counts, default=0) + 1 if unlisted else 1
    hits = unlisted + sum(count for count in sample.counts if count <= rare)
    return hits / values + allow_of_share(hits, values)
