"""The survey: what is in the columns of a data set, counted in one pass over the file for some tens of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tidegate.baseline import Histogram
from tidegate.contents import Contents
from tidegate.signature import Feature, Signature, Task
from tidegate_gates import expressions
from tidegate_gates.expressions import Expression, express, fits
from tidegate_gates.table import Table

COLUMNS_AT_ONCE: Final = 50
"""Their sketches take some megabytes; of a wide file, most columns wait."""
CUTS: Final = 200
"""Parts that numbers are cut into, of about as many rows each."""
VALUES: Final = 1000
"""Most frequent texts that are told apart; the others are one."""
LABEL_CUTS: Final = 32
_LONGEST: Final = 100
"""Characters of a value that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Values that are not what is needed."""

    rows: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is in one feature's column."""

    missing: int
    """Rows."""
    unfit: Unfit
    """Values that the model doesn't take; they are in no other figure."""
    strange: Unfit
    """Values that the sample has not: beyond its range, or unseen."""
    cuts: tuple[Any, ...]
    """Quantiles of numbers, ascending and maybe repeated; the most frequent texts, the most frequent first."""


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What is in the label's column."""

    rows: int
    """That have one which counts."""
    missing: int
    unfit: Unfit
    """Labels that are no class of the model, or no number."""
    classes: Mapping[str, int] = field(default_factory=dict)
    """Rows by class, in the signature's order; classes without any are there too."""
    cuts: tuple[float, ...] = ()
    """Of numbers, the quantiles, ascending and maybe repeated."""
    ends: tuple[float, float] | None = None
    """Of numbers, the smallest and the largest."""


@dataclass(frozen=True, slots=True)
class TimeFacts:
    """What is in the column that tells when each row was written."""

    unfit: Unfit
    newest: datetime | None
    """None: no row has a time."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in a data set."""

    file: str
    rows: int
    names: tuple[str, ...]
    """Of all columns."""
    misfits: Mapping[str, str]
    """Types of the columns whose features need others."""
    columns: Mapping[str, ColumnFacts]
    """By feature, those that are there with the right type."""
    label: LabelFacts | None
    """None: there is no such column."""
    times: TimeFacts | None
    """None: there is no such column, or nobody asked."""


def survey(table: Table, contents: Contents, *, label: str, time: str = "") -> Survey:
    """Reads what is in a file, beside what a version says it takes and was built with.

    Raises:
        tidegate_gates.table.UnreadableTable: It can't be read.
    """
    features, columns = find_usable(contents.signature, table), dict[str, ColumnFacts]()
    for first in range(0, len(features), COLUMNS_AT_ONCE):
        columns |= _survey_columns(table, features[first : first + COLUMNS_AT_ONCE], contents)
    ((rows,),) = table.ask("SELECT count(*) FROM data")
    return Survey(
        file=table.name,
        rows=rows,
        names=table.columns,
        misfits=_find_misfits(contents.signature, table),
        columns=columns,
        label=_survey_label(table, contents.signature, label) if label in table.columns else None,
        times=_survey_times(table, time) if time in table.columns else None,
    )


def find_usable(signature: Signature, table: Table) -> list[Feature]:
    """Features whose columns are there, and in a Parquet file have a type that they need."""
    misfits = _find_misfits(signature, table)
    return [one for one in signature.features if one.name in table.columns and one.name not in misfits]


def _find_misfits(signature: Signature, table: Table) -> dict[str, str]:
    if not table.is_typed:
        return {}
    there = [one for one in signature.features if one.name in table.columns]
    return {one.name: table.types[one.name] for one in there if not fits(one, table.types[one.name])}


def _survey_columns(
    table: Table, features: Sequence[Feature], contents: Contents
) -> Iterator[tuple[str, ColumnFacts]]:
    expressed = [express(feature, table) for feature in features]
    asked = [part for one in expressed for part in _ask_of(one, contents.baseline.features[one.feature.name])]
    (found,) = table.ask(f"SELECT {', '.join(asked)} FROM data")  # noqa: S608 - names and texts are quoted
    each = len(found) // len(features)
    for place, feature in enumerate(features):
        missing, unfit, example, strange, stranger, cuts = found[place * each : (place + 1) * each]
        yield (
            feature.name,
            ColumnFacts(missing, _unfit(unfit, example), _unfit(strange, stranger), tuple(cuts or ())),
        )


def _ask_of(one: Expression, sample: Histogram) -> Iterator[str]:
    strange = _is_strange(one, sample)
    yield f"count(*) FILTER ({one.missing})"
    yield f"count(*) FILTER ({one.unfit})"
    yield f"any_value({one.text}) FILTER ({one.unfit})"
    yield f"count(*) FILTER ({strange})"
    yield f"any_value({one.text}) FILTER ({strange})"
    if one.is_number:
        yield _ask_quantiles(one.value, CUTS)
    else:
        yield f"approx_top_k({one.value}, {VALUES})"


def _ask_quantiles(value: str, parts: int) -> str:
    shares = ", ".join(f"{part / parts:.6f}" for part in range(1, parts))
    return f"approx_quantile({value}, [{shares}])"


def _is_strange(one: Expression, sample: Histogram) -> str:
    if not one.is_number:
        known = {*one.feature.categories, *sample.values}
        return f"NOT {expressions.is_one_of(one.value, sorted(known))}" if known else "false"
    if sample.lowest is None or sample.highest is None:
        return "false"
    lowest, highest = expressions.write_number(sample.lowest), expressions.write_number(sample.highest)
    return f"{one.value} < {lowest} OR {one.value} > {highest}"


def _survey_label(table: Table, signature: Signature, label: str) -> LabelFacts:
    if signature.task is Task.REGRESSION:
        return _survey_numbers(table, label)
    column, one = expressions.quote(label), expressions.express_class(label)
    is_known = expressions.is_one_of(one, [name.lower() for name in signature.classes])
    found = table.ask(
        f"SELECT {expressions.when(is_known, one)} AS known, {column} IS NULL AS missing, count(*), "  # noqa: S608
        f"any_value(CAST({column} AS VARCHAR)) FROM data GROUP BY ALL ORDER BY ALL"
    )
    by_class = {known: rows for known, _, rows, _ in found if known is not None}
    unknown = next(
        ((rows, text) for known, missing, rows, text in found if known is None and not missing), ()
    )
    return LabelFacts(
        rows=sum(by_class.values()),
        missing=sum(rows for _, missing, rows, _ in found if missing),
        unfit=_unfit(*unknown),
        classes={name: by_class.get(name.lower(), 0) for name in signature.classes},
    )


def _survey_numbers(table: Table, label: str) -> LabelFacts:
    column, value = expressions.quote(label), expressions.express_number(label)
    unfit = f"{column} IS NOT NULL AND {value} IS NULL"
    ((rows, missing, wrong, example, lowest, highest, cuts),) = table.ask(
        f"SELECT count({value}), count(*) FILTER ({column} IS NULL), count(*) FILTER ({unfit}), "  # noqa: S608 - quoted
        f"any_value(CAST({column} AS VARCHAR)) FILTER ({unfit}), min({value}), max({value}), "
        f"{_ask_quantiles(value, LABEL_CUTS)} FROM data"
    )
    ends = None if lowest is None else (lowest, highest)
    return LabelFacts(rows, missing, _unfit(wrong, example), cuts=tuple(cuts or ()), ends=ends)


def _survey_times(table: Table, name: str) -> TimeFacts:
    column, time = expressions.quote(name), f"TRY_CAST({expressions.quote(name)} AS TIMESTAMPTZ)"
    unfit = f"{column} IS NOT NULL AND NOT coalesce(isfinite({time}), false)"
    ((wrong, example, newest),) = table.ask(
        f"SELECT count(*) FILTER ({unfit}), any_value(CAST({column} AS VARCHAR)) FILTER ({unfit}), "  # noqa: S608
        f"epoch(max({expressions.when(f'isfinite({time})', time)})) FROM data"
    )
    return TimeFacts(
        _unfit(wrong, example), None if newest is None else datetime.fromtimestamp(newest, tz=UTC)
    )


def _unfit(rows: int = 0, example: str | None = None) -> Unfit:
    return Unfit(rows, (example or "")[:_LONGEST])
