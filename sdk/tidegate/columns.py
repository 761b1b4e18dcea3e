"""The columns codec: from columns as callers have them to the tensors that the ONNX graph takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tidegate.signature import Feature, FeatureKind, Signature

Columns = Mapping[str, Sequence[Any] | NDArray[Any]]
"""By feature name, one value a row; a missing value is None or NaN."""
Feeds = dict[str, NDArray[Any]]

INTEGER_LIMIT: Final = 2**53
"""Beyond it a JSON number and a float64 no longer tell neighbouring integers apart."""

BRIEF: Final = 100
"""Characters of a caller's own words that a refusal repeats."""

_DTYPES: Final[dict[str, Any]] = {
    "FP32": np.float32,
    "FP64": np.float64,
    "INT64": np.int64,
    "INT32": np.int32,
    "BOOL": np.bool_,
    "BYTES": np.object_,
}
_LARGEST_FLOAT: Final = float(np.finfo(np.float64).max)
_LARGEST: Final = {"FP32": float(np.finfo(np.float32).max), "INT32": float(2**31 - 1)}
EXPECTED: Final = {
    FeatureKind.NUMBER: "a number",
    FeatureKind.INTEGER: "a whole number",
    FeatureKind.BOOLEAN: "true or false",
    FeatureKind.STRING: "a string",
    FeatureKind.CATEGORY: "a string or a whole number",
}
"""What a feature's values have to be, as refusals say it."""


class InvalidInput(ValueError):  # noqa: N818 - named for what is wrong, as callers read it
    """What a caller sent can't be answered; `field` is the feature (empty: the request as a whole)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field[:BRIEF]
        self.message = message


def brief(value: object) -> str:
    """Shows a caller's own value in a sentence, cut off: a refusal must not be as large as its request."""
    if isinstance(value, list | dict):
        return (
            f"a list of {len(value)} values"
            if isinstance(value, list)
            else f"an object of {len(value)} fields"
        )
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # Python writes no integer of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= BRIEF else text[:BRIEF] + "…"


class ColumnsCodec:
    """Encodes columns for one signature; made once, then called for every request.

    The caller's order and dtypes don't matter: lists with None and numpy arrays may be mixed.
    """

    def __init__(self, signature: Signature) -> None:
        self._names = tuple(feature.name for feature in signature.features)
        self._known = frozenset(self._names)
        self._tensors = tuple(
            _TensorColumns(
                name=tensor.name,
                dtype=_DTYPES[tensor.datatype],
                width=tensor.width,
                columns=tuple(
                    _Column(feature, *_column_encoders(feature, tensor.datatype))
                    for feature in sorted(signature.features, key=lambda feature: feature.column)
                    if feature.tensor == tensor.name
                ),
            )
            for tensor in signature.inputs
        )

    def encode(self, columns: Columns) -> Feeds:
        """Gives the graph's feeds, of shape [rows, width].

        Raises:
            InvalidInput: The first thing found wrong, as a sentence that names the feature.
        """
        if columns.keys() != self._known:
            raise self._wrong_names(columns)
        rows = len(next(iter(columns.values()))) if columns else 0
        if rows == 0:
            raise InvalidInput("", "no rows were sent, at least one is needed")
        for name, column in columns.items():
            if len(column) != rows:
                raise InvalidInput(
                    name, f"feature '{name}' has {len(column)} values, but '{next(iter(columns))}' has {rows}"
                )
        return {tensor.name: tensor.encode(columns, rows) for tensor in self._tensors}

    def _wrong_names(self, columns: Columns) -> InvalidInput:
        for name in self._names:
            if name not in columns:
                return InvalidInput(name, f"feature '{name}' is absent; send null where its value is missing")
        unknown = next(name for name in columns if name not in self._known)
        return InvalidInput(
            str(unknown), f"feature '{brief(unknown)}' is unknown to this model; leave it out"
        )


@dataclass(frozen=True, slots=True)
class _Column:
    """One feature with its encoders: of one value, and of a numpy array (none: value by value)."""

    feature: Feature
    encode_value: Callable[[Any], Any]
    encode_array: Callable[[NDArray[Any]], NDArray[Any]] | None


@dataclass(frozen=True, slots=True)
class _TensorColumns:
    """The columns that share one tensor."""

    name: str
    dtype: Any
    width: int
    columns: tuple[_Column, ...]

    def encode(self, columns: Columns, rows: int) -> NDArray[Any]:
        if rows == 1:
            # One array for the whole row: an array a feature would cost more than the model.
            row = [column.encode_value(columns[column.feature.name][0]) for column in self.columns]
            return np.array(row, dtype=self.dtype).reshape((1, -1) if self.width else (1,))
        matrix = np.empty((rows, len(self.columns)), dtype=self.dtype)
        for place, column in enumerate(self.columns):
            matrix[:, place] = _encode_many(column, columns[column.feature.name])
        return matrix if self.width else matrix.reshape(rows)


def _encode_many(column: _Column, values: Sequence[Any] | NDArray[Any]) -> object:
    if isinstance(values, np.ndarray):
        if column.encode_array is not None and values.dtype.kind in "fiu":
            return column.encode_array(values)
        values = values.tolist()
    return [column.encode_value(value) for value in values]


def largest_number(datatype: str) -> float:
    """Gives the largest number that a tensor holds."""
    return _LARGEST.get(datatype, _LARGEST_FLOAT)


def _column_encoders(
    feature: Feature, datatype: str
) -> tuple[Callable[[Any], Any], Callable[[NDArray[Any]], NDArray[Any]] | None]:
    match feature.kind:
        case FeatureKind.NUMBER:
            largest = largest_number(datatype)
            return _number_encoder(feature, largest), _array_encoder(feature, largest, whole=False)
        case FeatureKind.INTEGER:
            largest = min(largest_number(datatype), INTEGER_LIMIT)
            return _integer_encoder(feature, largest), _array_encoder(feature, largest, whole=True)
        case FeatureKind.BOOLEAN:
            return _boolean_encoder(feature), None
        case FeatureKind.STRING | FeatureKind.CATEGORY:
            return _string_encoder(feature), None


def _number_encoder(feature: Feature, largest: float) -> Callable[[Any], Any]:
    smallest = -largest

    def encode(value: object) -> object:
        # Only a finite float of the usual range passes both comparisons; NaN passes neither.
        if type(value) is float and smallest < value < largest:
            return value
        if _is_missing(value):
            return _missing(feature)
        if isinstance(value, bool | np.bool_) or not isinstance(
            value, int | float | np.integer | np.floating
        ):
            raise _wrong_type(feature, value)
        _require_range(feature, value, largest)
        return float(value)

    return encode


def _integer_encoder(feature: Feature, largest: float) -> Callable[[Any], Any]:
    limit = int(largest)

    def encode(value: object) -> object:
        if type(value) is int and -limit <= value <= limit:
            return value
        if _is_missing(value):
            return _missing(feature)
        if isinstance(value, bool | np.bool_) or not isinstance(
            value, int | float | np.integer | np.floating
        ):
            raise _wrong_type(feature, value)
        _require_range(feature, value, largest)
        if value != int(value):
            raise _wrong_type(feature, value)
        return int(value)

    return encode


def _boolean_encoder(feature: Feature) -> Callable[[Any], Any]:
    def encode(value: object) -> object:
        if value is True or value is False:
            return value
        if _is_missing(value):
            return _missing(feature)
        # 0 and 1 are what V1 clients and numpy matrices send for booleans.
        if isinstance(value, int | float | np.number | np.bool_) and value in (0, 1):
            return bool(value)
        raise _wrong_type(feature, value)

    return encode


def _string_encoder(feature: Feature) -> Callable[[Any], Any]:
    by_code = feature.kind is FeatureKind.CATEGORY

    def encode(value: object) -> object:
        if type(value) is str:
            return value
        if _is_missing(value):
            return _missing(feature)
        # Codes of a category, such as 3, are numbers to those who send them.
        code = by_code and isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not isinstance(value, str) and not code:
            raise _wrong_type(feature, value)
        return str(value)

    return encode


def _array_encoder(
    feature: Feature, largest: float, *, whole: bool
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def encode(values: NDArray[Any]) -> NDArray[Any]:
        floats = values.astype(np.float64)
        absent = np.isnan(floats)
        if absent.any():
            floats[absent] = _missing(feature)
        if values.dtype.kind == "f":
            wrong = ~absent & ~(np.abs(floats) <= min(largest, np.finfo(np.float64).max))
        else:  # compared as integers; as floats 2⁵³ + 1 would equal 2⁵³
            wrong = (values > INTEGER_LIMIT) | (values < -INTEGER_LIMIT) | (np.abs(floats) > largest)
        if wrong.any():
            _require_range(feature, values[wrong][0].item(), largest)
        if whole:
            fractional = ~absent & (floats != np.trunc(floats))
            if fractional.any():
                raise _wrong_type(feature, values[fractional][0].item())
        return floats

    return encode


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _missing(feature: Feature) -> float | str:
    """Gives what stands in the tensor for a missing value."""
    if not feature.nullable:
        raise InvalidInput(
            feature.name,
            f"feature '{feature.name}' is missing (null), "
            "but this version was built without missing values in it",
        )
    return math.nan if feature.missing is None else feature.missing


def _require_range(
    feature: Feature, value: float | np.integer[Any] | np.floating[Any], largest: float
) -> None:
    whole = isinstance(value, int | np.integer)
    if not whole and math.isinf(value):
        raise InvalidInput(
            feature.name, f"feature '{feature.name}' is {value}, but a finite number is needed"
        )
    bound = min(INTEGER_LIMIT, largest) if whole else largest
    # As a Python int, for which comparison with a float is exact; as a float 2⁵³ + 1 would equal 2⁵³.
    exact = int(value) if whole else float(value)
    if not -bound <= exact <= bound:
        raise InvalidInput(
            feature.name, f"feature '{feature.name}' is {brief(exact)}, but at most ±{bound:.16g} is exact"
        )


def _wrong_type(feature: Feature, value: object) -> InvalidInput:
    shown = f"'{brief(value)}'" if isinstance(value, str) else brief(value)
    if not isinstance(value, list | dict):
        shown += f" ({type(value).__name__})"
    return InvalidInput(
        feature.name, f"feature '{feature.name}' is {shown}, but {EXPECTED[feature.kind]} is needed"
    )
