"""Golden rows: a few rows that show a model's whole range, with the answers it gave."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tidegate.golden import Golden
from tidegate.packaging.answers import PREDICTION, PROBABILITIES
from tidegate.packaging.native import Answers
from tidegate.packaging.sample import Sample

ROWS: Final = 8


def golden_places(sample: Sample, answers: Answers) -> list[int]:
    """Picks up to ROWS rows: half of them with missing values where there are any, spread over the answers."""
    missing = sample.frame.isna().any(axis=1).to_numpy()
    scores = answers[PREDICTION] if PREDICTION in answers else answers[PROBABILITIES][:, -1]
    order = np.argsort(scores, kind="stable")
    gapped, whole = order[missing[order]], order[~missing[order]]
    share = min(len(gapped), max(ROWS // 2, ROWS - len(whole)))
    return sorted({*_spread(gapped, share), *_spread(whole, ROWS - share)})


def build_golden(sample: Sample, answers: Answers) -> Golden:
    """Puts rows and answers into the bundle's form; both have the same rows."""
    columns = [_values(column) for column in sample.columns().values()]
    return Golden(
        features=tuple(feature.name for feature in sample.features),
        rows=tuple(zip(*columns, strict=True)),
        outputs={
            name: tuple(tuple(row) for row in np.asarray(output).reshape(len(sample.frame), -1).tolist())
            for name, output in answers.items()
        },
    )


def _spread(order: Any, count: int) -> list[int]:  # noqa: ANN401
    if not len(order) or count <= 0:
        return []
    return [
        int(order[place]) for place in np.unique(np.linspace(0, len(order) - 1, count).round().astype(int))
    ]


def _values(column: Any) -> list[Any]:  # noqa: ANN401
    values = column.tolist() if isinstance(column, np.ndarray) else column
    return [None if isinstance(value, float) and value != value else value for value in values]  # noqa: PLR0124
