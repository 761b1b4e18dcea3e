"""Trial rows: golden rows and a sample of a data set, as columns, each with a name for sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.golden import Golden
from tidegate.signature import Signature
from tidegate_gates.evaluation import choose_types
from tidegate_gates.table import Table, UnreadableTable


@dataclass(frozen=True, slots=True)
class TrialRows:
    """Rows that a model is asked for."""

    names: tuple[str, ...]
    """Such as "golden row 3"."""
    columns: Mapping[str, list[Any]]
    """By feature name, one value a row; a missing value is None."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.names)

    def pick(self, places: Sequence[int]) -> TrialRows:
        """Some of them, in this order."""
        picked = {name: [values[place] for place in places] for name, values in self.columns.items()}
        return TrialRows(tuple(self.names[place] for place in places), picked)

    def __add__(self, more: TrialRows) -> TrialRows:
        """Both."""
        both = {name: [*values, *more.columns[name]] for name, values in self.columns.items()}
        return TrialRows((*self.names, *more.names), both)


def take_golden(golden: Golden) -> TrialRows:
    """All golden rows."""
    names = tuple(f"golden row {row}" for row in range(len(golden.rows)))
    columns = zip(*golden.rows, strict=True)
    return TrialRows(
        names, {name: list(values) for name, values in zip(golden.features, columns, strict=True)}
    )


def take_sample(path: Path, signature: Signature, most: int) -> TrialRows:
    """Every n-th row of a file, so that at most so many are taken, and they are spread over all of it.

    Raises:
        UnreadableTable: It can't be read, lacks a feature, or has no rows.
    """
    types = choose_types(path, [signature])
    kept: list[tuple[int, tuple[Any, ...]]] = []
    step, begin = 1, 0
    for part in Table(path).read(types):
        rows = list(zip(*part.values(), strict=True))
        kept += [(begin + place, rows[place]) for place in range(-begin % step, len(rows), step)]
        begin += len(rows)
        while len(kept) > most:
            kept, step = kept[::2], 2 * step
    if not kept:
        raise UnreadableTable(f"{path.name} has no rows")
    columns = zip(*(values for _, values in kept), strict=True)
    return TrialRows(
        tuple(f"row {row} of {path.name}" for row, _ in kept),
        {name: list(values) for name, values in zip(types, columns, strict=True)},
    )
