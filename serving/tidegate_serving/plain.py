"""Plain rows: numbers without gaps, which need no look at each value before they become a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np

from tidegate.columns import INTEGER_LIMIT, Feeds
from tidegate.signature import FeatureKind, Signature

_DTYPES: Final = {"FP32": np.float32, "FP64": np.float64}


class PlainRows:
    """For a model whose features are all numbers, in one matrix.

    Every model of the kind takes most of its rows this way. What can't be taken so gets `None`, never a refusal: the
    general way then decides, and finds the words.
    """

    def __init__(self, signature: Signature) -> None:
        tensor = signature.inputs[0]
        columns = [feature.column for feature in signature.features]
        self.fits = (
            len(signature.inputs) == 1
            and tensor.datatype in _DTYPES
            and tensor.width == len(columns)
            and columns == list(range(len(columns)))
            and all(feature.kind is FeatureKind.NUMBER for feature in signature.features)
        )
        """Whether the model is of this kind."""
        self._tensor = tensor.name
        self._width = len(columns)
        self._dtype = _DTYPES.get(tensor.datatype, np.float64)

    def encode_flat(self, values: list[float], rows: int) -> Feeds | None:
        """Gives the feeds of values that stand row after row."""
        if rows < 1 or len(values) != rows * self._width:
            return None
        matrix = np.array(values)
        # Of a few values, Python finds the extremes sooner.
        low, high = (min(values), max(values)) if rows == 1 else (matrix.min(), matrix.max())
        # Beyond this bound whole numbers are refused, and other numbers are looked at one by one.
        if not (low > -INTEGER_LIMIT and high < INTEGER_LIMIT):
            return None
        return {self._tensor: matrix.astype(self._dtype, copy=False).reshape(rows, self._width)}

    def encode_rows(self, rows: Sequence[list[float]]) -> Feeds | None:
        """Gives the feeds of one list a row."""
        if not rows or any(len(row) != self._width for row in rows):
            return None
        return self.encode_flat(rows[0] if len(rows) == 1 else list(chain.from_iterable(rows)), len(rows))
