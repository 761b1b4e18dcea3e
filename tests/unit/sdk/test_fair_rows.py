"""A fair sample: every row has the same chance, the same rows give the same sample, and no trait is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.packaging.fair_rows import draw


@dataclass(frozen=True)
class Numbers:
    """Rows that are their own numbers; those in `marked` bear a trait of their own each."""

    rows: np.ndarray
    marked: tuple[int, ...] = ()

    def __len__(self):
        return len(self.rows)

    def traits(self):
        for number in self.marked:
            mask = self.rows == number
            if mask.any():
                yield number, mask

    def take(self, places):
        return Numbers(self.rows[places], self.marked)


def sample(rows, most, *, cuts=(), marked=()) -> list[int]:
    parts = [Numbers(part, marked) for part in np.split(np.arange(rows), sorted(cuts))]
    drawn, of = draw(parts, most)
    assert of == rows
    return [int(row) for part in drawn for row in part.rows]


@given(st.integers(0, 500), st.integers(1, 100))
def test_of_more_rows_than_wanted_so_many_are_drawn_in_their_order(rows, most):
    drawn = sample(rows, most, cuts=range(0, rows, 7))
    assert drawn == sorted(set(drawn))
    assert len(drawn) == min(rows, most)


@given(st.sets(st.integers(0, 400)), st.sets(st.integers(0, 400)), st.integers(1, 100))
def test_how_the_rows_are_parted_changes_nothing(some, others, most):
    marked = (3, 77, 399)
    assert sample(400, most, cuts=some, marked=marked) == sample(400, most, cuts=others, marked=marked)


def test_rows_that_are_few_come_back_as_they_are():
    parts = [Numbers(np.arange(3)), Numbers(np.arange(2))]
    drawn, _ = draw(parts, 5)
    assert all(one is other for one, other in zip(drawn, parts, strict=True))


@pytest.mark.parametrize("most", [1_000, 20_000])
def test_every_stretch_of_a_table_gives_as_many_rows_as_chance_lets_it(most):
    counts = np.bincount(np.array(sample(100_000, most, cuts=range(0, 100_000, 4_096))) // 5_000)
    chance = np.sqrt(most / 20 * 19 / 20 * (1 - most / 100_000))
    assert np.all(np.abs(counts - most / 20) < 4 * chance)


@given(st.sets(st.integers(0, 999), max_size=20))
def test_a_trait_of_a_single_row_is_not_lost(rare):
    drawn = sample(1_000, 20, cuts=range(0, 1_000, 64), marked=tuple(rare))
    assert rare <= set(drawn)
    assert len(drawn) == 20


def test_a_trait_of_many_rows_favours_none_of_them():
    @dataclass(frozen=True)
    class Alike(Numbers):
        def traits(self):
            yield "all", np.ones(len(self), dtype=bool)

        def take(self, places):
            return Alike(self.rows[places])

    drawn, _ = draw([Alike(np.arange(1_000))], 50)
    assert [int(row) for part in drawn for row in part.rows] == sample(1_000, 50)
