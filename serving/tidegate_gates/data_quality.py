"""The data quality gate: whether held-out rows are fit to judge a version by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from tidegate.bundle import PROVENANCE_NAME
from tidegate.contents import Contents
from tidegate.gate_report import Finding, GateResult, conclude
from tidegate.gates import DataQualityGate, Leakage
from tidegate.provenance import Data, Provenance
from tidegate.quantities import parse_share
from tidegate.signature import Task
from tidegate.verdict import Verdict
from tidegate_gates.column_findings import (
    judge_age,
    judge_columns,
    judge_exceptions,
    judge_label,
    list_labels,
    tell_rows,
)
from tidegate_gates.cross_counts import count_crosswise
from tidegate_gates.feature_findings import judge_leakage, judge_missing, judge_range, judge_unseen
from tidegate_gates.leakage import Power, measure_power
from tidegate_gates.repetition import GoldenFound, count_repeated, find_golden
from tidegate_gates.surroundings import Surroundings
from tidegate_gates.survey import LabelFacts, Survey, survey
from tidegate_gates.table import Table, UnreadableTable
from tidegate_gates.training_rows import Origin, compare_origin, judge_training_rows

LEAST_OTHERS: Final = 30
"""Rows that must have another label than most: by fewer, a good feature and one that gives it away look alike."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was counted in a set."""

    survey: Survey
    repeated: int
    powers: Mapping[str, Power] | str
    """How much of the label each feature tells; or one sentence on why that can't be said."""
    origin: Origin
    golden: GoldenFound | None


@dataclass(frozen=True, slots=True)
class Subject:
    """The version whose data is looked at."""

    contents: Contents
    trained_on: Sequence[Data] = ()
    """As its provenance has it."""


def read_subject(bundle: Path, contents: Contents) -> Subject:
    """What a bundle tells of its own data; its files are what its manifest says."""
    path = bundle / PROVENANCE_NAME
    provenance = msgspec.json.decode(path.read_bytes(), type=Provenance) if path.is_file() else Provenance()
    return Subject(contents, provenance.data)


def run_data_quality(
    name: str, gate: DataQualityGate, subject: Subject, *, surroundings: Surroundings, now: datetime
) -> GateResult:
    """Counts what is in the rows, and judges it.

    Args:
        name: Of the gate.
        gate: What is wanted.
        subject: Of which version.
        surroundings: Where.
        now: What ages are counted from.
    """
    try:
        with surroundings.open_data(name, gate.data) as path:
            seen = look(path, gate, subject)
    except UnreadableTable as error:
        return conclude(name, [Finding(name, Verdict.NOT_ENOUGH, str(error))])
    return conclude(name, list(judge_data_quality(gate, subject.contents, seen, now)))


def look(path: Path, gate: DataQualityGate, subject: Subject) -> Seen:
    """Counts what is in a file.

    Raises:
        UnreadableTable: It can't be read.
    """
    table, contents, label = Table(path), subject.contents, gate.data.label
    found = survey(table, contents, label=label, time=gate.time_column)
    powers = find_hindrance(gate.leakage, found.label) or {
        counts.feature: measure_power(contents.signature.task, counts)
        for counts in count_crosswise(table, contents.signature, found, label)
    }
    with path.open("rb") as content:
        digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
    return Seen(
        survey=found,
        repeated=count_repeated(table),
        powers=powers,
        origin=compare_origin(gate.data, digest, subject.trained_on),
        golden=find_golden(table, contents.signature, contents.golden),
    )


def find_hindrance(wanted: Leakage, label: LabelFacts | None) -> str:
    """Why it can't be said whether a feature gives the label away; empty: it can."""
    if label is None or len(list_labels(label)) < 2:
        return "whether a feature gives the label away can't be told without rows of two labels"
    if label.rows < wanted.least_rows:
        few = f"{label.rows:,} rows have a label, too few to tell a good feature from one that gives it away"
        return f"{few}; {wanted.least_rows:,} are needed"
    others = label.rows - max(label.classes.values(), default=0)
    if others < LEAST_OTHERS:
        few = f"{others} rows have another label than most, too few to tell a good feature from one that gives it away"
        return f"{few}; {LEAST_OTHERS} are needed"
    return ""


def judge_data_quality(
    gate: DataQualityGate, contents: Contents, seen: Seen, now: datetime
) -> Iterator[Finding]:
    """What the gate says. Pure: all is counted already."""
    found = seen.survey
    yield from judge_columns(contents, found, gate.data.label)
    if not found.rows:
        yield Finding("rows", Verdict.BAD, f"{found.file} has no rows")
        return
    yield from judge_label(contents, found, gate.data.label)
    yield from judge_missing(gate.missing, contents, found)
    yield from judge_range(gate.outside_range, contents, found)
    yield from judge_unseen(gate.unseen, contents, found)
    yield _judge_repeated(gate, seen)
    yield from _judge_leakage(gate.leakage, contents.signature.task, seen.powers)
    yield judge_training_rows(seen.origin, seen.golden, float(gate.shared_rows_level))
    yield from judge_age(gate, found, now)
    yield from judge_exceptions(gate, contents)


def _judge_repeated(gate: DataQualityGate, seen: Seen) -> Finding:
    rows, share = seen.survey.rows, seen.repeated / seen.survey.rows
    verdict = Verdict.GOOD if share <= parse_share(gate.repeated_rows) else Verdict.BAD
    shown = f"{tell_rows(seen.repeated, rows)} ({100 * share:.3g} %) repeat another one in every column"
    return Finding("repeated rows", verdict, f"{shown}; at most {gate.repeated_rows} is wanted")


def _judge_leakage(wanted: Leakage, task: Task, powers: Mapping[str, Power] | str) -> Iterator[Finding]:
    if isinstance(powers, str):
        yield Finding("leakage", Verdict.NOT_ENOUGH, powers)
    else:
        yield from judge_leakage(wanted, task, powers)
