"""Fair rows: of a table of any length a random sample of bounded size, in one pass and the same each time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Final, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

MOST_ROWS: Final = 50_000
"""Rows of a sample, at most.

With a chance of 95 %, all edges of a baseline's bins then lie within 0.61 points of the whole table's own quantiles
(Dvoretzky, Kiefer and Wolfowitz, 1956, with Massart's constant, 1990), the share of one of its 20 bins within 0.19
points of 5 %, and what the converted model answers otherwise in one row of 16,700 is met by the comparison (the rule of
three: 3/n). Ten times as many rows would make the bins three times as sharp, while what they are compared with is
mostly fewer requests than this; a tenth of them would let pass what goes wrong in one row of 2,000.

Packaging holds the sample some ten times over: as it came, as callers send it, as tensors, and between the steps of
either model. That is 400 MB where there are a hundred columns.
"""
_SEED: Final = 0

Trait = Hashable
"""What some rows show and a sample must not lose, such as a gap in a column."""
_Mask = NDArray[np.bool_]
_Lots = NDArray[np.uint64]


class Part(Protocol):
    """Rows that follow each other in a table."""

    def __len__(self) -> int:
        """How many they are."""

    def traits(self) -> Iterator[tuple[Trait, _Mask]]:
        """What the rows show, and which of them, at least one."""

    def take(self, places: NDArray[np.intp]) -> Self:
        """Gives the rows at these places, so that the others may be forgotten."""


_P = TypeVar("_P", bound=Part)


def draw(parts: Iterable[_P], most: int = MOST_ROWS) -> tuple[list[_P], int]:
    """Draws rows of a table, each with the same chance; gives them in their order, and how many there were in all.

    Every row gets a random number, its lot, and the lowest lots are kept, which needs neither the table at once nor
    its length (bottom-k sampling: Cohen and Kaplan, Summarizing data using bottom-k sketches, PODC 2007). Of each
    trait the row of the lowest lot is kept in any case. Where a trait is not very rare that row is among the lowest
    anyhow; without this, a column with three gaps in a million rows could be taken for one without any.

    The same rows give the same sample, however they are parted. Up to `most` rows come back as they are.
    """
    # Of numpy's random numbers only the raw ones of a bit generator are the same in every version (NEP 19).
    source = np.random.PCG64(_SEED)
    urn, rows = _Urn[_P](most), 0
    for part in parts:
        if len(part):
            rows += len(part)
            urn.add(part, source.random_raw(len(part)))
    return urn.empty(), rows


class _Urn(Generic[_P]):
    """Holds the rows that may still be drawn: those of the `most` lowest lots so far, and one for each trait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: list[tuple[_P, _Lots]] = []
        self._lowest: dict[Trait, int] = {}
        self._limit = np.iinfo(np.uint64).max
        self._added = 0

    def add(self, part: _P, lots: _Lots) -> None:
        for trait, mask in part.traits():
            lot = int(lots[mask].min())
            self._lowest[trait] = min(lot, self._lowest.get(trait, lot))
        near = (lots <= self._limit) | self._bear_trait(lots)
        self._held.append((part, lots))
        self._keep(-1, near)
        # Not after each part: what is kept is copied.
        self._added += int(np.count_nonzero(near))
        if self._added > self._most // 4:
            self._settle()
            self._added = 0

    def empty(self) -> list[_P]:
        """Gives what is drawn in the end: rows that bear a trait, then the lowest lots, up to `most`."""
        if not self._held:
            return []
        lots = np.concatenate([lots for _, lots in self._held])
        drawn = np.zeros(len(lots), dtype=np.bool_)
        drawn[np.lexsort((lots, ~self._bear_trait(lots)))[: self._most]] = True
        self._keep(0, drawn)
        return [part for part, _ in self._held]

    def _settle(self) -> None:
        lots = np.concatenate([lots for _, lots in self._held])
        if len(lots) > self._most:
            self._limit = np.partition(lots, self._most - 1)[self._most - 1]
        self._keep(0, (lots <= self._limit) | self._bear_trait(lots))

    def _bear_trait(self, lots: _Lots) -> _Mask:
        return np.isin(lots, np.fromiter(self._lowest.values(), np.uint64, len(self._lowest)))

    def _keep(self, begin: int, mask: _Mask) -> None:
        """Forgets rows of the parts from `begin` on; `mask` has an entry for each of these rows."""
        parts = self._held[begin:]
        ends = np.cumsum([len(lots) for _, lots in parts])[:-1]
        del self._held[begin:]
        for (part, lots), kept in zip(parts, np.split(mask, ends), strict=True):
            if kept.all():
                self._held.append((part, lots))
            elif kept.any():
                places = np.flatnonzero(kept)
                self._held.append((part.take(places), lots[places]))
