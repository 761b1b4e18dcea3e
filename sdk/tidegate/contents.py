"""What a predictor reads out of a bundle: whether it can serve with it, and if not, why, in one sentence.

`tidegate verify` and the predictor's start ask here, so that a laptop says what a cluster would.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tidegate.baseline import Baseline
from tidegate.bundle import BASELINE_NAME, GOLDEN_NAME, MODEL_NAME, SIGNATURE_NAME
from tidegate.columns import brief
from tidegate.golden import Golden
from tidegate.onnx_wire import NoOnnxError, Operator, read_demands
from tidegate.pod import StartFailure
from tidegate.signature import Feature, FeatureKind, Signature, Tensor

T = TypeVar("T")

_FLOATS: Final = ("FP32", "FP64")
_DATATYPES: Final = (*_FLOATS, "INT64", "INT32", "BOOL", "BYTES")
_TEXTS: Final = (FeatureKind.STRING, FeatureKind.CATEGORY)


class UnfitBundle(ValueError):  # noqa: N818 - as InvalidInput
    """A bundle that no predictor can serve; `reason` is what its pod would end with."""

    def __init__(self, reason: StartFailure, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands beside the graph."""

    signature: Signature
    baseline: Baseline
    golden: Golden


def read_contents(folder: Path) -> Contents:
    """Reads a bundle whose files are what its manifest says, and looks at its graph.

    Raises:
        UnfitBundle: Something is not there, can't be read, or doesn't fit the rest.
    """
    contents = Contents(
        _read(folder, SIGNATURE_NAME, Signature),
        _read(folder, BASELINE_NAME, Baseline),
        _read(folder, GOLDEN_NAME, Golden),
    )
    _require_signature(contents.signature)
    _require_golden(contents.golden, contents.signature)
    if contents.baseline.features.keys() != {feature.name for feature in contents.signature.features}:
        raise _invalid(f"{BASELINE_NAME} has other features than {SIGNATURE_NAME}")
    _require_graph(folder / MODEL_NAME)
    return contents


def unknown_operator(operator: Operator) -> UnfitBundle:
    """Refuses a graph for an operator that ONNX Runtime doesn't have."""
    domain = f" of '{brief(operator.domain)}'" if operator.domain else ""
    return UnfitBundle(
        StartFailure.MODEL_INVALID,
        f"{MODEL_NAME} uses the operator '{brief(operator.name)}'{domain}, which ONNX Runtime doesn't have; export the "
        "model without custom operators, or with this one as an ONNX function",
    )


def _read(folder: Path, name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode((folder / name).read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise _invalid(f"the bundle has no {name}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(f"{name} can't be read: {brief(str(error))}") from error


def _invalid(message: str) -> UnfitBundle:
    return UnfitBundle(StartFailure.BUNDLE_INVALID, message)


def _require_graph(path: Path) -> None:
    try:
        demands = read_demands(memoryview(path.read_bytes()))
    except FileNotFoundError as error:
        raise _invalid(f"the bundle has no {path.name}") from error
    except NoOnnxError as error:
        raise UnfitBundle(StartFailure.MODEL_INVALID, f"{path.name} is no ONNX file: {error}") from error
    for name, location in demands.external:
        raise UnfitBundle(
            StartFailure.MODEL_INVALID,
            f"{path.name} keeps the tensor '{brief(name)}' in another file ('{brief(location)}'), but a bundle's model "
            "is one file; load it with its data and save it again: onnx.save(onnx.load(path), path)",
        )
    for operator in demands.operators:
        raise unknown_operator(operator)


def _require_signature(signature: Signature) -> None:
    tensors = {tensor.name: tensor for tensor in signature.inputs}
    names = {feature.name for feature in signature.features}
    if not names or len(names) < len(signature.features) or len(tensors) < len(signature.inputs):
        raise _invalid(f"{SIGNATURE_NAME} has no features, or a name twice")
    if not signature.outputs:
        raise _invalid(f"{SIGNATURE_NAME} has no outputs")
    for feature in signature.features:
        if feature.tensor not in tensors:
            raise _invalid(
                f"feature '{brief(feature.name)}' goes to the input '{brief(feature.tensor)}', which {SIGNATURE_NAME} "
                "has not"
            )
        _require_fit(feature, tensors[feature.tensor])
    for tensor in signature.inputs:
        columns = sorted(feature.column for feature in signature.features if feature.tensor == tensor.name)
        if columns != list(range(len(columns))) or len(columns) != max(1, tensor.width):
            raise _invalid(
                f"{SIGNATURE_NAME} has {len(columns)} features for the {max(1, tensor.width)} columns of the input "
                f"'{brief(tensor.name)}', or two at one place"
            )


def _require_fit(feature: Feature, tensor: Tensor) -> None:
    """Without this, a bundle would start well and fail at the first request that has a gap, say."""
    if tensor.datatype not in _DATATYPES:
        raise _invalid(
            f"the input '{brief(tensor.name)}' has the datatype '{brief(tensor.datatype)}', but one of "
            f"{', '.join(_DATATYPES)} is needed"
        )
    texts = tensor.datatype == "BYTES"
    if (feature.kind in _TEXTS) is not texts:
        raise _invalid(
            f"feature '{brief(feature.name)}' is of the kind {feature.kind}, which does not go into {tensor.datatype}"
        )
    stand_in = feature.missing
    if stand_in is not None and isinstance(stand_in, str) is not texts:
        raise _invalid(
            f"what stands for a missing '{brief(feature.name)}' does not go into {tensor.datatype}"
        )
    if feature.nullable and stand_in is None and tensor.datatype not in _FLOATS:
        raise _invalid(
            f"feature '{brief(feature.name)}' may be missing, but nothing stands for that in {tensor.datatype}"
        )


def _require_golden(golden: Golden, signature: Signature) -> None:
    if sorted(golden.features) != sorted(feature.name for feature in signature.features):
        raise _invalid(f"{GOLDEN_NAME} has other features than {SIGNATURE_NAME}")
    if not golden.rows or any(len(row) != len(golden.features) for row in golden.rows):
        raise _invalid(f"{GOLDEN_NAME} has no rows, or rows of another length than its features")
    for output in signature.outputs:
        answers = golden.outputs.get(output.name, ())
        if len(answers) != len(golden.rows) or any(len(one) != max(1, output.width) for one in answers):
            raise _invalid(f"{GOLDEN_NAME} has not one answer of '{brief(output.name)}' for each of its rows")
