"""The sample: rows as the native model takes them, and the same as columns that callers will send."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tidegate.packaging.encoders import category_text
from tidegate.packaging.frame_rows import draw_frame
from tidegate.packaging.graph import MISSING_STRING, NUMBERS, STRINGS
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.signature import Feature, FeatureKind, Tensor

SampleData = pd.DataFrame | NDArray[Any]

_TEXT = {FeatureKind.STRING, FeatureKind.CATEGORY}


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows with their features; `frame` keeps the dtypes that the native model was trained on."""

    frame: pd.DataFrame
    features: tuple[Feature, ...]
    as_matrix: bool
    """Whether the native model was trained on a plain matrix, without column names."""

    def native(self) -> pd.DataFrame | NDArray[Any]:
        """Gives the rows as the native model takes them."""
        return self.frame.to_numpy() if self.as_matrix else self.frame

    def columns(self) -> dict[str, NDArray[Any] | list[Any]]:
        """Gives the rows as callers send them: None for missing, strings for categories."""
        return {feature.name: _caller_column(self.frame[feature.name], feature) for feature in self.features}

    def with_frame(self, frame: pd.DataFrame) -> Sample:
        """Gives the same features with other rows."""
        return Sample(frame, self.features, self.as_matrix)


def read_sample(data: SampleData, expected: tuple[str, ...] | None) -> Sample:
    """Reads a DataFrame or a matrix.

    Args:
        data: A pandas DataFrame, or a numpy matrix of shape [rows, features].
        expected: The columns that the model was trained on, in its order; none where it doesn't know. Other columns
            of a DataFrame, such as the target, are left out.
    """
    as_matrix = not isinstance(data, pd.DataFrame)
    frame = data if isinstance(data, pd.DataFrame) else _matrix_frame(np.asarray(data), expected)
    # First of all: of what follows, much is copied.
    frame = draw_frame(frame).rename(columns=str)
    if expected is not None:
        frame = _expected_columns(frame, expected)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise PackagingRefusedError(f"the sample has column '{twice}' twice; names must differ")
    if len(frame) == 0:
        raise PackagingRefusedError("the sample has no rows; give some hundreds of rows of the training data")
    frame = frame.reset_index(drop=True)
    return Sample(frame, _features(frame), as_matrix and expected is None)


def _expected_columns(frame: pd.DataFrame, expected: tuple[str, ...]) -> pd.DataFrame:
    # LightGBM remembers its columns with blanks replaced.
    known = {re.sub(r"\s", "_", name): name for name in frame.columns} | {
        name: name for name in frame.columns
    }
    absent = [name for name in expected if name not in known]
    if absent:
        raise PackagingRefusedError(
            f"the sample lacks {len(absent)} of the {len(expected)} columns that the model was trained on: "
            f"{', '.join(absent[:5])}; give the sample the columns of the training data"
        )
    return frame[[known[name] for name in expected]]


def input_tensors(features: tuple[Feature, ...]) -> tuple[Tensor, ...]:
    """Gives the graph's inputs: one matrix of numbers, one of strings, whichever has columns."""
    texts = sum(feature.kind in _TEXT for feature in features)
    tensors = (Tensor(NUMBERS, "FP64", len(features) - texts), Tensor(STRINGS, "BYTES", texts))
    return tuple(tensor for tensor in tensors if tensor.width)


def _matrix_frame(matrix: NDArray[Any], expected: tuple[str, ...] | None) -> pd.DataFrame:
    if matrix.ndim != 2:
        raise PackagingRefusedError(
            f"the sample has {matrix.ndim} axes, but rows × features are needed; reshape it, or give a DataFrame"
        )
    if expected is not None and len(expected) != matrix.shape[1]:
        raise PackagingRefusedError(
            f"the sample has {matrix.shape[1]} columns, but the model was trained on {len(expected)}"
        )
    names = expected or tuple(f"f{index}" for index in range(matrix.shape[1]))
    return pd.DataFrame(matrix, columns=list(names), copy=False)


def _features(frame: pd.DataFrame) -> tuple[Feature, ...]:
    features: list[Feature] = []
    places = {NUMBERS: 0, STRINGS: 0}
    for name in frame.columns:
        kind = column_kind(frame[name])
        if kind in _TEXT and frame[name].astype(object).eq(MISSING_STRING).any():
            raise PackagingRefusedError(
                f"column '{name}' holds the text {MISSING_STRING!r}, which stands for a missing value; use None"
            )
        tensor = STRINGS if kind in _TEXT else NUMBERS
        features.append(
            Feature(
                name=name,
                kind=kind,
                tensor=tensor,
                column=places[tensor],
                nullable=False,  # decided later, by asking the native model
                categories=_categories(frame[name]) if kind is FeatureKind.CATEGORY else (),
                missing=MISSING_STRING if kind in _TEXT else None,
            )
        )
        places[tensor] += 1
    return tuple(features)


def _categories(column: pd.Series[Any]) -> tuple[str, ...]:
    return tuple(category_text(category) for category in column.cat.categories)


def column_kind(column: pd.Series[Any]) -> FeatureKind:
    """Gives how the column's values look to a caller."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return FeatureKind.CATEGORY
    if pd.api.types.is_bool_dtype(column.dtype):
        return FeatureKind.BOOLEAN
    if pd.api.types.is_integer_dtype(column.dtype):
        return FeatureKind.INTEGER
    if pd.api.types.is_float_dtype(column.dtype):
        return FeatureKind.NUMBER
    present = column.dropna()
    if pd.api.types.is_string_dtype(column.dtype) and not pd.api.types.is_object_dtype(column.dtype):
        return FeatureKind.STRING
    if pd.api.types.is_object_dtype(column.dtype) and len(present):
        return _object_kind(column, present)
    raise PackagingRefusedError(
        f"column '{column.name}' has dtype {column.dtype}, which no caller can send; "
        "turn it into numbers, booleans or strings before training"
    )


def _object_kind(column: pd.Series[Any], present: pd.Series[Any]) -> FeatureKind:
    kinds = {type(value) for value in present}
    if all(issubclass(kind, str) for kind in kinds):
        return FeatureKind.STRING
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return FeatureKind.BOOLEAN
    if all(issubclass(kind, int | float | np.number) for kind in kinds) and bool not in kinds:
        return FeatureKind.NUMBER
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise PackagingRefusedError(
        f"column '{column.name}' mixes {names}; give all its values one type before training"
    )


def _caller_column(column: pd.Series[Any], feature: Feature) -> NDArray[Any] | list[Any]:
    if feature.kind in {FeatureKind.NUMBER, FeatureKind.INTEGER} and column.dtype != object:
        if not column.isna().any() and pd.api.types.is_integer_dtype(column.dtype):
            return column.to_numpy(dtype=np.int64)
        return column.to_numpy(dtype=np.float64, na_value=math.nan)
    texts = feature.kind in _TEXT
    absent = column.isna().to_numpy()
    return [
        None if gone else category_text(value) if texts else value
        for value, gone in zip(column.astype(object).tolist(), absent, strict=True)
    ]
