"""Rows of the same kind as the sample's are not blocked for what its size leaves to chance."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.packaging.histograms import text_histogram
from tidegate_gates.allowance import allow_beyond_range, allow_of_share, expect_unseen
from tidegate_gates.training_rows import find_tail

DRAWS = 2000
SIZES = (60, 300, 3000)


@pytest.mark.parametrize("size", SIZES)
def test_outside_of_a_samples_range_lies_more_than_allowed_once_in_a_thousand(size):
    chance = np.random.default_rng(1)
    ends = np.sort(chance.random((DRAWS, size)), axis=1)[:, [0, -1]]
    outside = 1 - (ends[:, 1] - ends[:, 0])
    assert np.mean(outside > allow_beyond_range(size)) <= 0.003


@pytest.mark.parametrize(("size", "share"), list(product(SIZES, [0.002, 0.1, 0.5])))
def test_a_share_differs_from_the_samples_by_more_than_allowed_once_in_some_hundreds(size, share):
    chance = np.random.default_rng(2)
    hits = chance.binomial(size, share, size=DRAWS)
    assert np.mean([abs(one / size - share) > allow_of_share(one, size) for one in hits]) <= 0.01


@pytest.mark.parametrize(("size", "kinds"), list(product(SIZES, [5, 20, 200])))
def test_texts_that_a_sample_has_not_are_more_than_allowed_once_in_some_hundreds(size, kinds):
    """A few frequent texts and many rare ones."""
    chance, exceeded = np.random.default_rng(3), 0
    shares = 1 / np.arange(1, kinds + 1)
    shares /= shares.sum()
    for _ in range(300):
        sample = text_histogram(chance.choice(kinds, p=shares, size=size).tolist())
        unseen = 1 - sum(shares[int(text)] for text in sample.values)
        exceeded += unseen > expect_unseen(sample, size, are_all_known=False)
    assert exceeded / 300 <= 0.01


@given(st.lists(st.floats(0, 1), max_size=6), st.integers(0, 6))
def test_the_chance_of_so_many_is_that_of_all_ways_to_them(chances, found):
    ways = product([0, 1], repeat=len(chances))
    expected = sum(
        np.prod([one if hit else 1 - one for one, hit in zip(chances, way, strict=True)])
        for way in ways
        if sum(way) >= found
    )
    assert find_tail(found, chances) == pytest.approx(expected)


@pytest.mark.parametrize("kinds", [50, 2000, 100_000])
def test_rows_that_are_alike_by_chance_are_taken_for_shared_no_more_often_than_declared(kinds):
    chance, level, taken = np.random.default_rng(4), 0.01, 0
    summed = np.cumsum(1 / np.arange(1, kinds + 1))
    for _ in range(1000):
        drawn = np.searchsorted(summed, chance.random(1008) * summed[-1])
        golden = np.unique(drawn[:8])
        rows, counts = np.unique(drawn[8:], return_counts=True)
        alike = max(1, counts[counts > 1].sum()) / 1000
        found = int(np.isin(golden, rows).sum())
        taken += found > 0 and find_tail(found, [alike] * len(golden)) <= level
    assert taken / 1000 <= level + 3 * np.sqrt(level * (1 - level) / 1000)
