"""The signature: which columns a model takes and what it answers, in the words of the data scientist."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec


class FeatureKind(StrEnum):
    """How a column's values look to the caller."""

    NUMBER = "number"  # any finite float; JSON numbers
    INTEGER = "integer"  # whole numbers up to ±2⁵³, which a JSON number carries exactly
    BOOLEAN = "boolean"
    STRING = "string"  # free text or codes
    CATEGORY = "category"  # strings of a known set; an unseen one is counted, and let through to the model


SENT_AS: Final[Mapping[FeatureKind, str]] = {
    FeatureKind.NUMBER: "FP64",
    FeatureKind.INTEGER: "INT64",
    FeatureKind.BOOLEAN: "BOOL",
    FeatureKind.STRING: "BYTES",
    FeatureKind.CATEGORY: "BYTES",
}
"""The datatype of the Open Inference Protocol in which callers send a feature, whatever the graph takes."""


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of the model's input."""

    name: str
    kind: FeatureKind
    tensor: str
    """The ONNX input that it goes to; several features share one when the model takes a matrix."""
    column: int
    """Its place along the tensor's second axis; 0 where it has the tensor to itself."""
    nullable: bool
    """Whether the model was built to answer rows in which it is missing (JSON null, NaN)."""
    categories: tuple[str, ...] = ()
    """For `category`: every value seen in training."""
    missing: float | str | None = None
    """What stands in the tensor for a missing value; none means NaN for numbers. For strings a value that the
    converted graph itself treats as missing."""


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input or output of the ONNX graph."""

    name: str
    datatype: str
    """In the words of the Open Inference Protocol: FP32, FP64, INT64, BOOL, BYTES."""
    width: int
    """Length of the second axis; the first is always the rows. 0: the tensor has no second axis."""


class Task(StrEnum):
    """What the model's answers mean."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model takes and answers."""

    task: Task
    features: tuple[Feature, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    """In the order of the answer: classifiers `label` then `probabilities`, regression `prediction`."""
    classes: tuple[str, ...] = ()
    """The label behind each column of `probabilities`."""
    tolerance: float = 1e-4
    """Largest difference between native and ONNX answers that was accepted: of probabilities as it is, of a
    regression relative to the larger of 1 and the native answer. Golden rows are held to it too."""
