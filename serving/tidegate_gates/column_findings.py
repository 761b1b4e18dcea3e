"""Column findings: whether the columns that a version needs are there, and hold what they must."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from tidegate.columns import EXPECTED
from tidegate.contents import Contents
from tidegate.gate_report import Finding
from tidegate.gates import DataQualityGate
from tidegate.quantities import parse_age
from tidegate.signature import Feature, Task
from tidegate.verdict import Verdict
from tidegate_gates.survey import LabelFacts, Survey, Unfit

COLUMNS_TOLD: Final = 20
"""A report is bounded."""
_CLASSES_TOLD: Final = 20
_AHEAD: Final = timedelta(days=1)
"""Clocks and time zones differ by less."""


def judge_columns(contents: Contents, found: Survey, label: str) -> Iterator[Finding]:
    """What is not there, or is something else."""
    features = contents.signature.features
    absent = [name for name in (label, *(one.name for one in features)) if name not in found.names]
    wrong = [(name, tell_absent(found, name)) for name in absent]
    wrong += [(one.name, words) for one in features if (words := _tell_misfit(found, one))]
    for name, words in wrong[:COLUMNS_TOLD]:
        yield Finding(f"columns, {name}", Verdict.BAD, words)
    if len(wrong) > COLUMNS_TOLD:
        yield Finding("columns, others", Verdict.BAD, f"{len(wrong) - COLUMNS_TOLD} more columns likewise")
    if not wrong:
        words = f"all {len(features)} features and the label are there, as the model takes them"
        yield Finding("columns", Verdict.GOOD, words)


def tell_absent(found: Survey, name: str) -> str:
    """That there is no such column."""
    return f"{found.file} has no column '{name}'; it has {', '.join(found.names[:50])}"


def _tell_misfit(found: Survey, feature: Feature) -> str:
    needed = EXPECTED[feature.kind]
    if feature.name in found.misfits:
        return f"column '{feature.name}' of {found.file} is {found.misfits[feature.name]}, but {needed} is needed"
    if feature.name in found.columns and (unfit := found.columns[feature.name].unfit).rows:
        return _tell_unfit(found, feature.name, unfit, needed)
    return ""


def _tell_unfit(found: Survey, column: str, unfit: Unfit, needed: str) -> str:
    such = f"holds '{unfit.example}' ({tell_rows(unfit.rows, found.rows)} are such)"
    return f"column '{column}' of {found.file} {such}, but {needed} is needed"


def judge_label(contents: Contents, found: Survey, column: str) -> Iterator[Finding]:
    """Whether each row has a label that the model can be held against."""
    label = found.label
    if label is None:
        return
    if label.missing:
        words = f"{tell_rows(label.missing, found.rows)} have no label (column '{column}')"
        yield Finding("label", Verdict.BAD, words)
    if label.unfit.rows:
        known = ", ".join(contents.signature.classes[:_CLASSES_TOLD])
        why = f"the model knows {known}" if known else "a number is needed"
        shown = f"{tell_rows(label.unfit.rows, found.rows)} have labels such as '{label.unfit.example}'"
        yield Finding("label", Verdict.BAD, f"{shown}, but {why}")
    there = list_labels(label)
    if len(there) == 1:
        words = f"all rows that have a label have the same, {there[0]}; two at least are needed"
        yield Finding("label", Verdict.BAD, words)
    if not label.missing and not label.unfit.rows and len(there) > 1:
        yield Finding("label", Verdict.GOOD, _tell_labels(contents.signature.task, label))


def list_labels(label: LabelFacts) -> tuple[str, ...]:
    """Classes that there are rows of; of numbers the ends, which may be the same."""
    if label.ends:
        return tuple(dict.fromkeys(f"{end:g}" for end in label.ends))
    return tuple(name for name, rows in label.classes.items() if rows)


def _tell_labels(task: Task, label: LabelFacts) -> str:
    if task is Task.REGRESSION:
        return f"labels go from {' to '.join(list_labels(label))}"
    counted = [f"{name} {rows:,}" for name, rows in label.classes.items()]
    more = f" and {len(counted) - _CLASSES_TOLD} more" if len(counted) > _CLASSES_TOLD else ""
    return f"rows by label: {', '.join(counted[:_CLASSES_TOLD])}{more}"


def judge_age(gate: DataQualityGate, found: Survey, now: datetime) -> Iterator[Finding]:
    """Whether the newest row is as new as is wanted."""
    if gate.not_older_than is None:
        return
    times, column = found.times, gate.time_column
    if times is None:
        yield Finding("age", Verdict.BAD, tell_absent(found, column))
    elif times.unfit.rows:
        yield Finding("age", Verdict.BAD, _tell_unfit(found, column, times.unfit, "a time"))
    elif times.newest is None:
        yield Finding("age", Verdict.NOT_ENOUGH, f"no row has a time in column '{column}'")
    else:
        age = now - times.newest
        shown = f"the newest row is of {times.newest:%Y-%m-%d %H:%M} UTC (column '{column}')"
        if age < -_AHEAD:
            yield Finding("age", Verdict.BAD, f"{shown}, which is still to come")
            return
        verdict = Verdict.GOOD if age <= parse_age(gate.not_older_than) else Verdict.BAD
        days = f"{age / timedelta(days=1):.1f} days old"
        yield Finding("age", verdict, f"{shown}, {days}; at most {gate.not_older_than} is wanted")


def judge_exceptions(gate: DataQualityGate, contents: Contents) -> Iterator[Finding]:
    """An exception for a name that is mistyped would be none, and nobody would know."""
    known = {feature.name for feature in contents.signature.features}
    for where, wanted in (
        ("missing", gate.missing),
        ("outsideRange", gate.outside_range),
        ("unseen", gate.unseen),
        ("leakage", gate.leakage),
    ):
        if unknown := [name for name in wanted.except_for if name not in known]:
            words = f"{where}.exceptFor names '{unknown[0]}', which is no feature of the model"
            yield Finding("exceptions", Verdict.NOT_ENOUGH, words)


def tell_rows(rows: int, of: int) -> str:
    """Such as "3 of 4,000 rows"."""
    return f"{rows:,} of {of:,} rows"
