"""Repetition: rows that are there twice, and golden rows that are among them, told by hashes of 64 bits.

Of ten million rows, two that differ have the same hash with a chance of three in a million.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.golden import Golden
from tidegate.signature import Signature
from tidegate_gates import expressions
from tidegate_gates.expressions import Expression, express
from tidegate_gates.survey import find_usable
from tidegate_gates.table import Table


@dataclass(frozen=True, slots=True)
class GoldenFound:
    """Golden rows that are among the rows of a set, by their features."""

    found: int
    chances: tuple[float, ...]
    """For each different golden row, the chance that a row which has nothing to do with the set is like one of it."""
    alike: float
    """Share of the set's rows whose features are those of another row of it."""


def count_repeated(table: Table) -> int:
    """Rows that repeat an earlier one in every column of the file.

    Raises:
        tidegate_gates.table.UnreadableTable: It can't be read.
    """
    columns = ", ".join(map(expressions.quote, table.columns))
    each = f"SELECT count(*) AS rows_ FROM data GROUP BY hash({columns})"  # noqa: S608 - names are quoted
    ((repeated,),) = table.ask(f"SELECT coalesce(sum(rows_ - 1), 0) FROM ({each})")  # noqa: S608
    return int(repeated)


def find_golden(table: Table, signature: Signature, golden: Golden) -> GoldenFound | None:
    """Looks for golden rows; none where a feature has no usable column.

    Raises:
        tidegate_gates.table.UnreadableTable: The file can't be read.
    """
    usable = find_usable(signature, table)
    if len(usable) < len(signature.features):
        return None
    expressed = [express(feature, table) for feature in usable]
    places = [golden.features.index(feature.name) for feature in usable]
    rows = {tuple(values[place] for place in places) for values in golden.rows}
    row = f"hash({', '.join(one.value for one in expressed)})"
    gapped = " OR ".join(f"{one.value} IS NULL" for one in expressed)
    hashes = ", ".join(_hash(values, expressed) for values in rows)
    each = f"SELECT {row} AS hash_, any_value({gapped}) AS gapped_, count(*) AS rows_ FROM data GROUP BY 1"  # noqa: S608
    found = table.ask(
        f"SELECT gapped_, count(*) FILTER (hash_ IN ({hashes})), "  # noqa: S608 - expressions of our own
        f"coalesce(sum(rows_) FILTER (rows_ > 1), 0), sum(rows_) FROM ({each}) GROUP BY gapped_"
    )
    return _conclude(rows, {gapped: (hits, int(alike), int(of)) for gapped, hits, alike, of in found})


def _conclude(golden: Collection[tuple[Any, ...]], found: Mapping[bool, tuple[int, int, int]]) -> GoldenFound:
    """Counts of rows with gaps, and of those without.

    A row that lacks a value is like another one more often, and half of the golden rows are such on purpose.
    """
    # Without a pair among some rows, the chance of one is still not nothing.
    chances = {gapped: max(1, alike) / rows for gapped, (_, alike, rows) in found.items()}
    alike, rows = (sum(counts[place] for counts in found.values()) for place in (1, 2))
    return GoldenFound(
        found=sum(hits for hits, _, _ in found.values()),
        chances=tuple(chances.get(None in values, 0.0) for values in golden),
        alike=alike / rows if rows else 0.0,
    )


def _hash(values: Sequence[Any], expressed: Sequence[Expression]) -> str:
    """The hash of a golden row, of values of the same types as those of the file's expressions."""
    return f"hash({', '.join(map(_write, values, expressed))})"


def _write(value: Any, one: Expression) -> str:  # noqa: ANN401 - as golden rows have them
    if value is None:
        return f"CAST(NULL AS {'DOUBLE' if one.is_number else 'VARCHAR'})"
    if one.is_number:
        return expressions.write_number(float(value))
    return expressions.write_text(str(value).lower() if isinstance(value, bool) else str(value))
