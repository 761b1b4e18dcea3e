"""The ONNX graph under construction: tensors flow through it as parts, which know their kind and width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tidegate.packaging.refusal import PackagingRefusedError

NUMBERS: Final = "numbers"
STRINGS: Final = "strings"
MISSING_STRING: Final = "<missing>"
"""What stands in the strings tensor for a missing value; no ONNX string can be null."""

# The newest that skl2onnx 1.20 writes for the steps it converts; every ONNX Runtime since 1.16 runs both.
OPSET: Final = 18
ML_OPSET: Final = 4
# Fixed, since the newest IR version of the installed onnx may be too new for the predictor's runtime.
IR_VERSION: Final = 9


@dataclass(frozen=True, slots=True)
class Part:
    """A matrix of rows × width inside the graph: doubles with NaN for missing, or strings."""

    tensor: str
    width: int
    text: bool = False


Value = tuple[Part, ...]
"""Columns side by side."""


@dataclass(slots=True)
class Graph:
    """Collects nodes; the one mutable thing of a conversion."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    names: int = 0

    def new_name(self, stem: str) -> str:
        """Gives a name that no other tensor has; by counting, so that the same model gives the same bytes."""
        self.names += 1
        return f"{stem.lower()}_{self.names}"

    def constant(self, array: NDArray[Any] | Sequence[Any], dtype: Any = np.float64) -> str:  # noqa: ANN401
        """Adds a constant tensor."""
        name = self.new_name("constant")
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype=dtype), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401
        """Adds a node with one output; gives the output's name."""
        output = self.new_name(operator)
        self.nodes.append(helper.make_node(operator, list(inputs), [output], domain=domain, **attributes))
        return output

    def select(self, value: Value, indices: Iterable[int]) -> Value:
        """Picks columns; runs of one kind become one part, in the order asked for."""
        places = [(part, column) for part in value for column in range(part.width)]
        picked: list[tuple[Part, list[int]]] = []
        for index in indices:
            part, column = places[index]
            if picked and picked[-1][0] is part:
                picked[-1][1].append(column)
            else:
                picked.append((part, [column]))
        return tuple(self._gather(part, columns) for part, columns in picked)

    def columns(self, value: Value) -> tuple[Part, ...]:
        """Splits into parts of width 1."""
        width = sum(part.width for part in value)
        return tuple(self.select(value, [index])[0] for index in range(width))

    def numbers(self, value: Value, step: str) -> str:
        """Gives all columns as one matrix of doubles, for `step`."""
        if any(part.text for part in value):
            raise PackagingRefusedError(
                f"{step} takes numbers only, but gets text columns; put an OneHotEncoder or OrdinalEncoder before it"
            )
        tensors = [part.tensor for part in value if part.width]
        return tensors[0] if len(tensors) == 1 else self.add("Concat", *tensors, axis=1)

    def to_float32(self, tensor: str) -> str:
        """Rounds doubles to the nearest float32."""
        return self.add("Cast", tensor, to=TensorProto.FLOAT)

    def to_float64(self, tensor: str) -> str:
        """Widens to double."""
        return self.add("Cast", tensor, to=TensorProto.DOUBLE)

    def _gather(self, part: Part, columns: list[int]) -> Part:
        if columns == list(range(part.width)):
            return part
        indices = self.constant(columns, np.int64)
        return Part(self.add("Gather", part.tensor, indices, axis=1), len(columns), text=part.text)
