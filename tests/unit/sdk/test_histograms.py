"""Baseline bins: every row in exactly one bin, none of them empty, as even as the values allow."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tidegate.packaging.histograms import BINS, number_histogram, text_histogram

NUMBERS = arrays.arrays(np.float64, st.integers(1, 200), elements=st.floats(allow_infinity=False))


@given(NUMBERS)
def test_every_row_is_counted_once(values):
    histogram = number_histogram(values)
    assert sum(histogram.counts) + histogram.missing == len(values)


@given(NUMBERS)
def test_edges_ascend_and_no_bin_is_empty(values):
    histogram = number_histogram(values)
    assert np.all(np.diff(histogram.edges) > 0)
    assert len(histogram.counts) == len(histogram.edges) + 1 <= BINS
    assert all(histogram.counts) or not np.isfinite(values).any()


@given(NUMBERS)
def test_bins_are_as_the_contract_says(values):
    """Bin i holds edges[i-1] ≤ value < edges[i]."""
    histogram = number_histogram(values)
    edges = (-np.inf, *histogram.edges, np.inf)
    for place, count in enumerate(histogram.counts):
        assert count == np.sum((edges[place] <= values) & (values < edges[place + 1]))


def test_continuous_values_fill_their_bins_evenly():
    histogram = number_histogram(np.random.default_rng(1).normal(size=2_000))
    assert len(histogram.counts) == BINS
    assert all(99 <= count <= 101 for count in histogram.counts)


def test_a_flag_gets_a_bin_each():
    histogram = number_histogram(np.array([0.0, 1.0, 1.0]))
    assert (histogram.edges, histogram.counts) == ((0.5,), (1, 2))


def test_only_the_most_frequent_texts_are_listed():
    texts = [f"t{number}" for number in range(30) for _ in range(30 - number)] + [None]
    histogram = text_histogram(texts)
    assert histogram.values == tuple(f"t{number}" for number in range(BINS))
    assert histogram.missing == 1
