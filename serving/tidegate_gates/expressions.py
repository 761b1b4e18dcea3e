"""Expressions: what a column holds for a model, in the SQL of the table's reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tidegate.columns import INTEGER_LIMIT
from tidegate.signature import Feature, FeatureKind
from tidegate_gates.table import Table

_WHOLE: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
)
_NUMBERS: Final = _WHOLE | {"FLOAT", "DOUBLE"}
_TEXT: Final = frozenset({"VARCHAR"})
_FITTING: Final = {
    FeatureKind.NUMBER: _NUMBERS,
    FeatureKind.INTEGER: _NUMBERS,
    FeatureKind.BOOLEAN: _NUMBERS | {"BOOLEAN"},
    FeatureKind.STRING: _TEXT,
    FeatureKind.CATEGORY: _TEXT | _WHOLE,
}
"""Types of a Parquet file that the model takes: the same that a caller may send it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One feature's column."""

    feature: Feature
    value: str
    """A DOUBLE of numbers, else a VARCHAR, which booleans are too; NULL where it is missing or no such value."""
    missing: str
    """Whether it is missing."""
    text: str
    """The value as people read it, whatever it is."""

    @property
    def is_number(self) -> bool:
        """Whether its values have an order."""
        return self.feature.kind in {FeatureKind.NUMBER, FeatureKind.INTEGER}

    @property
    def unfit(self) -> str:
        """Whether there is a value that the model doesn't take."""
        return f"NOT {self.missing} AND {self.value} IS NULL"


def fits(feature: Feature, kind: str) -> bool:
    """Whether a Parquet column of this type holds what a feature needs."""
    return kind in _FITTING[feature.kind]


def express(feature: Feature, table: Table) -> Expression:
    """The column of a feature that is there and fits."""
    column = quote(feature.name)
    number = f"TRY_CAST({column} AS DOUBLE)"
    text = f"CAST({column} AS VARCHAR)"
    missing = f"({column} IS NULL OR coalesce(isnan({number}), false))"
    match feature.kind:
        case FeatureKind.NUMBER:
            value = when(f"isfinite({number})", number)
        case FeatureKind.INTEGER:
            is_whole = f"{number} = trunc({number}) AND abs({number}) <= {INTEGER_LIMIT}"
            value = when(f"isfinite({number}) AND {is_whole}", number)
        case FeatureKind.BOOLEAN if table.types[feature.name] in _NUMBERS:
            value = f"CASE {number} WHEN 0 THEN 'false' WHEN 1 THEN 'true' END"
        case FeatureKind.BOOLEAN:
            value = f"CAST(TRY_CAST({column} AS BOOLEAN) AS VARCHAR)"
        case FeatureKind.STRING | FeatureKind.CATEGORY:
            value, missing = text, f"({column} IS NULL)"
    return Expression(feature, value, missing, text)


def express_number(column: str) -> str:
    """A column's finite numbers, NULL for everything else."""
    number = f"TRY_CAST({quote(column)} AS DOUBLE)"
    return when(f"isfinite({number})", number)


def express_class(column: str) -> str:
    """A column's labels as classes are told apart: 1, 1.0 and '1' are one, and so are true and True."""
    return f"lower(regexp_replace(CAST({quote(column)} AS VARCHAR), '\\.0$', ''))"


def when(condition: str, value: str) -> str:
    """The value where the condition holds, NULL elsewhere."""
    return f"CASE WHEN {condition} THEN {value} END"


def is_one_of(value: str, known: Iterable[str]) -> str:
    """Whether a text is one of those known; none is one of none."""
    listed = ", ".join(write_text(one) for one in known)
    return f"{value} IN ({listed})" if listed else "false"


def quote(name: str) -> str:
    """A column's name."""
    return '"' + name.replace('"', '""') + '"'


def write_text(text: str) -> str:
    """A text as it stands in a statement."""
    return "'" + text.replace("'", "''") + "'"


def write_number(number: float) -> str:
    """A number as it stands in a statement: through a text, since 0.1 alone would be a decimal of another value."""
    return f"'{float(number)!r}'::DOUBLE"
