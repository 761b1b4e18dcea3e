"""Cross counts: how often each part of a feature's values comes with each label, in either half of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tidegate.signature import Feature, Signature, Task
from tidegate_gates import expressions
from tidegate_gates.expressions import Expression, express
from tidegate_gates.survey import COLUMNS_AT_ONCE, Survey, find_usable
from tidegate_gates.table import Table

_ROWS_A_PART: Final = 10
"""At least, on average: what a part says of the label is learnt from half of them."""
_MOST_CELLS: Final = 400_000
"""Counts of one pass, some forty megabytes: of a model of many classes, few features are looked at at once."""
_HALF, _LABEL = '"tidegate: half"', '"tidegate: label"'
"""Names that no file has."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossCounts:
    """What was counted of one feature."""

    feature: str
    is_number: bool
    """Whether the parts ascend."""
    rows: NDArray[np.int64]
    """By half, part of the feature's values and label. The last part but one holds other values, of numbers those above
    all others; the last holds missing ones."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of one feature's values."""

    one: Expression
    cuts: tuple[Any, ...]

    def ask(self) -> str:
        """A map from each cut to the rows up to it, or of it."""
        if self.one.is_number:
            listed = ", ".join(map(expressions.write_number, self.cuts))
            return f"histogram({self.one.value}, [{listed}]::DOUBLE[])"
        # DuckDB calls other texts '', which would else be one that a column may hold.
        listed = ", ".join(expressions.write_text(f"={text}") for text in self.cuts)
        return f"histogram_exact('=' || {self.one.value}, [{listed}]::VARCHAR[])"

    def place(self, found: Mapping[Any, int] | None) -> list[int]:
        """Such a map as counts: of each part, then of other values."""
        counts = dict(found or {})
        known = self.cuts if self.one.is_number else [f"={text}" for text in self.cuts]
        return [*(counts.pop(cut, 0) for cut in known), sum(counts.values())]


def count_crosswise(table: Table, signature: Signature, found: Survey, label: str) -> Iterator[CrossCounts]:
    """Gives the counts of each usable feature; of a regression's label, by its quantile.

    Which half a row belongs to follows from its number, so that the same file has the same figures.

    Raises:
        tidegate_gates.table.UnreadableTable: The file can't be read.
    """
    most = max(2, found.rows // _ROWS_A_PART)
    parts = [
        _Parts(express(feature, table), _choose_cuts(feature, found, most, table))
        for feature in find_usable(signature, table)
    ]
    labels, expression = _express_label(signature, found, label)
    cells = 2 * len(labels) * max((len(one.cuts) + 2 for one in parts), default=1)
    at_once = max(1, min(COLUMNS_AT_ONCE, _MOST_CELLS // cells))
    for first in range(0, len(parts), at_once):
        yield from _count(table, parts[first : first + at_once], labels, expression)


def _choose_cuts(feature: Feature, found: Survey, most: int, table: Table) -> tuple[Any, ...]:
    cuts = found.columns[feature.name].cuts
    if not express(feature, table).is_number:
        return cuts[:most]
    step = -(-len(cuts) // most) or 1
    return cut_numbers(cuts[step - 1 :: step])


def cut_numbers(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Ends of parts, each up to and with its end.

    A value that fills a whole part gets one of its own: without it, a rare value just below would hide among its rows.
    """
    ends = np.asarray(quantiles, dtype=np.float64)
    repeated = ends[1:][ends[1:] == ends[:-1]]
    return tuple(np.unique(np.concatenate([ends, np.nextafter(repeated, -np.inf)])).tolist())


def _express_label(signature: Signature, found: Survey, label: str) -> tuple[list[Any], str]:
    """All labels that there may be, and the SQL that gives the one of a row; NULL: none that counts."""
    if signature.task is not Task.REGRESSION:
        names = [name.lower() for name in signature.classes]
        one = expressions.express_class(label)
        return names, expressions.when(expressions.is_one_of(one, names), one)
    assert found.label
    value = expressions.express_number(label)
    ends = sorted(set(found.label.cuts))
    above = " + ".join(f"CAST({value} > {expressions.write_number(end)} AS INTEGER)" for end in ends)
    return list(range(len(ends) + 1)), above


def _count(table: Table, parts: Sequence[_Parts], labels: Sequence[Any], label: str) -> Iterator[CrossCounts]:
    asked = ", ".join(one.ask() for one in parts)
    halved = f"SELECT *, hash(row_number() OVER ()) % 2 AS {_HALF}, {label} AS {_LABEL} FROM data"  # noqa: S608
    found = table.ask(
        f"SELECT {_HALF}, {_LABEL}, count(*), {asked} FROM ({halved}) "  # noqa: S608 - names and texts are quoted
        f"WHERE {_LABEL} IS NOT NULL GROUP BY 1, 2"
    )
    places = {one: place for place, one in enumerate(labels)}
    for column, one in enumerate(parts, start=3):
        counts = np.zeros((2, len(one.cuts) + 2, len(labels)), dtype=np.int64)
        for row in found:
            placed = one.place(row[column])
            counts[row[0], :, places[row[1]]] = [*placed, row[2] - sum(placed)]
        yield CrossCounts(one.one.feature.name, one.one.is_number, counts)
