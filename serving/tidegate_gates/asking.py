"""Asking: rows of which some may not be answered, and why they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from tidegate_gates.estimate import Floats
from tidegate_gates.evaluation import answer_columns
from tidegate_serving.errors import NotFinite
from tidegate_serving.model import Model

_AT_ONCE: Final = 1000
"""Rows of one call: where one of them fails, so many are asked for one by one."""

Columns = Mapping[str, Sequence[Any]]
"""By feature name, one value a row; a missing value is None."""


def answer_each(model: Model, columns: Columns) -> tuple[Floats, dict[int, str]]:
    """What a model answers, and by row why it does not.

    The answers are rows × figures: of a classifier a probability a class, of a regression one number; NaN in rows
    that are not answered.
    """
    rows = len(next(iter(columns.values())))
    figures = np.full((rows, max(1, len(model.signature.classes))), np.nan)
    reasons: dict[int, str] = {}
    for first in range(0, rows, _AT_ONCE):
        last = min(first + _AT_ONCE, rows)
        reason = _ask(model, columns, slice(first, last), figures)
        if reason:
            one_by_one = (
                (row, _ask(model, columns, slice(row, row + 1), figures)) for row in range(first, last)
            )
            reasons |= {row: why for row, why in one_by_one if why}
    return figures, reasons


def _ask(model: Model, columns: Columns, rows: slice, figures: Floats) -> str:
    """Why these rows are not answered together; empty: they are, and `figures` has the answers."""
    try:
        answered = answer_columns(model, {name: values[rows] for name, values in columns.items()})
        figures[rows] = answered.reshape(len(answered), -1)
    except Exception as error:  # noqa: BLE001 - whatever it is, a user would have got it; ONNX Runtime's share no base
        return say_briefly(error)
    return ""


def say_briefly(error: Exception) -> str:
    """What went wrong, as a part of a sentence: the first line of an error."""
    if isinstance(error, NotFinite):
        # Its own words count the rows that were asked together.
        return "the answer is not a finite number"
    return str(error).strip().partition("\n")[0][:300] or type(error).__name__
