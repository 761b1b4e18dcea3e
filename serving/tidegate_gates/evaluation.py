"""The evaluation: what candidate and stable answer to every row of a held-out set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tidegate.columns import InvalidInput
from tidegate.signature import FeatureKind, Signature, Task
from tidegate_gates.estimate import Floats
from tidegate_gates.table import Table, Type, UnreadableTable
from tidegate_serving.errors import NotFinite
from tidegate_serving.model import Model

MOST_ROWS: Final = 2_000_000
"""Labels and answers of so many rows take some hundred megabytes, and tell differences of a thousandth apart."""
_TYPES: Final = {
    FeatureKind.NUMBER: Type.NUMBER,
    FeatureKind.INTEGER: Type.INTEGER,
    FeatureKind.BOOLEAN: Type.BOOLEAN,
    FeatureKind.STRING: Type.TEXT,
    FeatureKind.CATEGORY: Type.TEXT,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that a model does not answer, such as those that lack a value that it was not built to answer without."""

    rows: int = 0
    example: str = ""
    """Why, with the number of one such row."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Rows that every model answered, and how many there are beside them."""

    labels: Floats
    """Of a classifier the index of the right class, of a regression the number that came."""
    candidate: Floats
    """Of a classifier a probability a class, of a regression one number a row."""
    stable: Floats | None
    """None: there is no version to compare with."""
    groups: Mapping[str, NDArray[np.str_]]
    """Values of the columns that make slices, by column."""
    refused: tuple[Refused, Refused] = (Refused(), Refused())
    """By the candidate, and by stable."""


@dataclass(slots=True)
class _Gathered:
    """What one model answered so far; a row that it refused is NaN."""

    model: Model
    parts: list[Floats] = field(default_factory=list)
    refused: Refused = Refused()

    def ask(self, part: Mapping[str, Sequence[Any]], *, first_row: int) -> None:
        """Asks about a part of the rows."""
        columns = {name: part[name] for name in self.model.feature_names}
        try:
            self.parts.append(answer_columns(self.model, columns))
        except (InvalidInput, NotFinite):
            # Which rows it is that the model does not answer, only one by one tells.
            for place in range(len(next(iter(columns.values())))):
                self._ask_one(
                    {name: values[place : place + 1] for name, values in columns.items()}, first_row + place
                )

    def _ask_one(self, columns: Mapping[str, Sequence[Any]], row: int) -> None:
        try:
            self.parts.append(answer_columns(self.model, columns))
        except (InvalidInput, NotFinite) as error:
            example = self.refused.example or f"row {row}: {error}"
            self.refused = Refused(self.refused.rows + 1, example)
            width = max(1, len(self.model.signature.classes))
            self.parts.append(np.full((1, width) if width > 1 else 1, np.nan))

    def whole(self) -> Floats:
        """All answers."""
        return np.concatenate(self.parts)


def answer_rows(
    path: Path, label: str, models: tuple[Model, Model | None], groups: Iterable[str] = ()
) -> Answered:
    """Asks candidate and stable (`models`) about every row of a file.

    Raises:
        UnreadableTable: A row can't be read, has no label or an unknown one, or none can be answered; says which.
    """
    gathered = [_Gathered(model) for model in models if model]
    types = choose_types(path, [one.model.signature for one in gathered])
    types |= dict.fromkeys(groups, Type.TEXT)
    signature = gathered[0].model.signature
    types[label] = Type.NUMBER if signature.task is Task.REGRESSION else Type.TEXT
    labels: list[Floats] = []
    kept: dict[str, list[NDArray[np.str_]]] = {name: [] for name in groups}
    begin = 0
    for part in Table(path).read(types):
        labels.append(read_labels(part[label], signature, first_row=begin, where=(path.name, label)))
        for one in gathered:
            one.ask(part, first_row=begin)
        for name, values in kept.items():
            values.append(np.array(["(missing)" if one is None else one for one in part[name]], dtype=str))
        begin += len(labels[-1])
        if begin > MOST_ROWS:
            raise UnreadableTable(f"{path.name} has more than {MOST_ROWS:,} rows; give a sample of them")
    if not labels:
        raise UnreadableTable(f"{path.name} has no rows")
    return _keep_answered(
        path, np.concatenate(labels), gathered, {name: np.concatenate(each) for name, each in kept.items()}
    )


def _keep_answered(
    path: Path, labels: Floats, gathered: Sequence[_Gathered], groups: Mapping[str, NDArray[np.str_]]
) -> Answered:
    answers = [one.whole() for one in gathered]
    answered = np.all([np.isfinite(one.reshape(len(labels), -1)).all(axis=1) for one in answers], axis=0)
    if not answered.any():
        example = next(one.refused.example for one in gathered if one.refused.rows)
        raise UnreadableTable(f"no row of {path.name} can be answered; {example}")
    return Answered(
        labels=labels[answered],
        candidate=answers[0][answered],
        stable=answers[1][answered] if len(answers) > 1 else None,
        groups={name: values[answered] for name, values in groups.items()},
        refused=(gathered[0].refused, gathered[1].refused if len(gathered) > 1 else Refused()),
    )


def read_labels(
    values: Sequence[Any], signature: Signature, *, first_row: int, where: tuple[str, str]
) -> Floats:
    """Labels as numbers: of classifiers the index of the class, whose name may be written as true or 1.0 as well.

    Raises:
        UnreadableTable: One is missing, or no class of the model.
    """
    file, column = where
    if signature.task is Task.REGRESSION:
        known: Mapping[Any, float] = {}
    else:
        known = {name.lower(): float(index) for index, name in enumerate(signature.classes)}
    labels = np.empty(len(values))
    for place, value in enumerate(values):
        if value is None:
            raise UnreadableTable(f"row {first_row + place} of {file} has no label (column '{column}')")
        number = known.get(str(value).removesuffix(".0").lower()) if known else float(value)
        if number is None:
            raise UnreadableTable(
                f"row {first_row + place} of {file} has the label '{str(value)[:100]}', but the model knows "
                f"{', '.join(signature.classes[:20])}"
            )
        labels[place] = number
    return labels


def choose_types(path: Path, signatures: Iterable[Signature]) -> dict[str, Type]:
    """A CSV file says nothing of types, so the model does; a Parquet file must have those that the model takes."""
    features = [feature for signature in signatures for feature in signature.features]
    if path.suffix == ".csv":
        return {feature.name: _TYPES[feature.kind] for feature in features}
    return {feature.name: Type.AS_IT_IS for feature in features}


def answer_columns(model: Model, columns: Mapping[str, Sequence[Any]]) -> Floats:
    """What a model answers: of a classifier a probability a class, of a regression one number a row.

    Raises:
        tidegate.columns.InvalidInput: A value is none that it takes.
        tidegate_serving.errors.NotFinite: An answer is no number.
    """
    last = np.asarray(
        model.answer(model.encode({name: list(values) for name, values in columns.items()}))[-1],
        dtype=np.float64,
    )
    if model.signature.task is Task.REGRESSION:
        return last.reshape(-1)
    return last if last.ndim > 1 else np.column_stack([1 - last, last])
