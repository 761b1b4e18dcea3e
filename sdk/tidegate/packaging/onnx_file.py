"""An ONNX file of the user's own: its inputs matched with the sample's columns, its outputs named as ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tidegate.packaging.answers import LABEL, PREDICTION, PROBABILITIES
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.sample import Sample
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor

_DATATYPES: Final = {
    TensorProto.FLOAT: "FP32",
    TensorProto.DOUBLE: "FP64",
    TensorProto.INT64: "INT64",
    TensorProto.INT32: "INT32",
    TensorProto.BOOL: "BOOL",
    TensorProto.STRING: "BYTES",
}
_FITTING: Final = {
    "FP32": {FeatureKind.NUMBER, FeatureKind.INTEGER, FeatureKind.BOOLEAN},
    "FP64": {FeatureKind.NUMBER, FeatureKind.INTEGER, FeatureKind.BOOLEAN},
    "INT64": {FeatureKind.INTEGER, FeatureKind.BOOLEAN},
    "INT32": {FeatureKind.INTEGER, FeatureKind.BOOLEAN},
    "BOOL": {FeatureKind.BOOLEAN},
    "BYTES": {FeatureKind.STRING, FeatureKind.CATEGORY},
}


def expected_columns(proto: onnx.ModelProto) -> tuple[str, ...] | None:
    """Gives the input names where each input is one column; none where a matrix takes them in order."""
    inputs = _inputs(proto)
    return tuple(tensor.name for tensor in inputs) if all(tensor.width <= 1 for tensor in inputs) else None


def adopt_onnx(
    proto: onnx.ModelProto, sample: Sample, *, labels: Sequence[Any] | None, tolerance: float
) -> tuple[bytes, Signature, Sample]:
    """Gives the model with our output names, its signature, and the sample with the features placed.

    Raises:
        PackagingRefusedError: The columns don't fit the inputs, or the outputs are neither a label with
            probabilities nor one number a row.
    """
    proto = onnx.ModelProto.FromString(proto.SerializeToString())
    for name in (LABEL, PROBABILITIES, PREDICTION):  # free for ours
        _rename_tensor(proto, name, f"native_{name}")
    inputs = _inputs(proto)
    placed = Sample(sample.frame, _placed(inputs, sample), as_matrix=False)
    found = _known_classes(proto)
    _take_zip_map(proto)
    outputs = {output.name: output.type.tensor_type for output in proto.graph.output}
    label = next((name for name, kind in outputs.items() if kind.elem_type in _LABELS), None)
    numbers = [name for name, kind in outputs.items() if kind.elem_type in _NUMBERS]
    if not numbers or len(outputs) > 2:
        raise PackagingRefusedError(
            f"the ONNX file answers {', '.join(outputs)}; needed are a label and probabilities, or one number a row"
        )
    if label is None and labels is None and _width(outputs[numbers[0]]) in {0, 1}:
        tensors: tuple[Tensor, ...] = (Tensor(PREDICTION, "FP64", 0),)
        _name_outputs(proto, {PREDICTION: numbers[0]}, tensors)
        signature = Signature(Task.REGRESSION, placed.features, inputs, tensors, tolerance=tolerance)
        return _serialized(proto), signature, placed
    classes = _classes(labels or found, _width(outputs[numbers[0]]))
    if label is None:
        label = _label_by_probability(proto, numbers[0], classes)
        outputs[label] = proto.graph.output[-1].type.tensor_type
    datatype = "INT64" if outputs[label].elem_type == TensorProto.INT64 else "BYTES"
    tensors = (Tensor(LABEL, datatype, 0), Tensor(PROBABILITIES, "FP64", len(classes)))
    _name_outputs(proto, {LABEL: label, PROBABILITIES: numbers[0]}, tensors)
    task = Task.BINARY if len(classes) == 2 else Task.MULTICLASS
    signature = Signature(task, placed.features, inputs, tensors, classes, tolerance)
    return _serialized(proto), signature, placed


_LABELS: Final = {TensorProto.INT64, TensorProto.STRING}
_NUMBERS: Final = {TensorProto.FLOAT, TensorProto.DOUBLE}


def _inputs(proto: onnx.ModelProto) -> tuple[Tensor, ...]:
    constants = {constant.name for constant in proto.graph.initializer}
    tensors = []
    for value in proto.graph.input:
        if value.name in constants:
            continue
        kind = value.type.tensor_type
        if kind.elem_type not in _DATATYPES or len(kind.shape.dim) not in {1, 2}:
            raise PackagingRefusedError(
                f"input '{value.name}' of the ONNX file is no table column or matrix of numbers, booleans or strings; "
                "export it with inputs of shape [rows, columns]"
            )
        if len(kind.shape.dim) == 2 and not kind.shape.dim[1].dim_value:
            raise PackagingRefusedError(
                f"input '{value.name}' of the ONNX file doesn't say how many columns it has; fix its second axis"
            )
        tensors.append(Tensor(value.name, _DATATYPES[kind.elem_type], _width(kind)))
    return tuple(tensors)


def _width(kind: Any) -> int:  # noqa: ANN401 - a TypeProto.Tensor
    return int(kind.shape.dim[1].dim_value) if len(kind.shape.dim) == 2 else 0


def _placed(inputs: tuple[Tensor, ...], sample: Sample) -> tuple[Feature, ...]:
    places = [(tensor, column) for tensor in inputs for column in range(max(1, tensor.width))]
    if len(places) != len(sample.features):
        raise PackagingRefusedError(
            f"the ONNX file takes {len(places)} columns, but the sample has {len(sample.features)}; "
            "give exactly its columns, in its order"
        )
    placed = []
    for (tensor, column), feature in zip(places, sample.features, strict=True):
        if feature.kind not in _FITTING[tensor.datatype]:
            raise PackagingRefusedError(
                f"column '{feature.name}' is of kind {feature.kind}, but goes to input '{tensor.name}' of type "
                f"{tensor.datatype}; give the sample the dtypes of the training data"
            )
        # Only floats have a NaN, the missing value that ONNX operators know of.
        nullable = bool(sample.frame[feature.name].isna().any()) and tensor.datatype in {"FP32", "FP64"}
        placed.append(
            msgspec.structs.replace(
                feature, tensor=tensor.name, column=column, nullable=nullable, missing=None
            )
        )
    return tuple(placed)


def _known_classes(proto: onnx.ModelProto) -> tuple[Any, ...]:
    """Gives the classes that a classifier or ZipMap node lists; empty where none does."""
    for node in proto.graph.node:
        for attribute in node.attribute:
            if attribute.name.startswith("classlabels_"):
                classes = helper.get_attribute_value(attribute)
                return tuple(name.decode() if isinstance(name, bytes) else name for name in classes)
    return ()


def _take_zip_map(proto: onnx.ModelProto) -> None:
    """Takes out a ZipMap, whose list of dictionaries no predictor can batch."""
    for node in list(proto.graph.node):
        if node.op_type == "ZipMap":
            output = next(output for output in proto.graph.output if output.name == node.output[0])
            shape: list[str | int | None] = ["rows", len(_known_classes(proto))]
            output.CopyFrom(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, shape))
            proto.graph.node.remove(node)


def _classes(labels: Sequence[Any] | None, width: int) -> tuple[str, ...]:
    if labels and width and len(labels) != width:
        raise PackagingRefusedError(
            f"labels names {len(labels)} classes, but the model answers {width} probabilities"
        )
    if not labels:
        raise PackagingRefusedError(
            "the ONNX file doesn't say what its classes are; name them in labels, in order"
        )
    return tuple(str(label) for label in labels)


def _label_by_probability(proto: onnx.ModelProto, probabilities: str, classes: tuple[str, ...]) -> str:
    proto.graph.initializer.append(
        numpy_helper.from_array(np.array(classes, dtype=np.object_), "tidegate_classes")
    )
    proto.graph.node.extend(
        [
            helper.make_node("ArgMax", [probabilities], ["tidegate_best"], axis=1, keepdims=0),
            helper.make_node("Gather", ["tidegate_classes", "tidegate_best"], ["tidegate_label"], axis=0),
        ]
    )
    proto.graph.output.append(helper.make_tensor_value_info("tidegate_label", TensorProto.STRING, ["rows"]))
    return "tidegate_label"


def _name_outputs(proto: onnx.ModelProto, sources: dict[str, str], tensors: tuple[Tensor, ...]) -> None:
    """Ends the graph with our outputs: doubles, and without a second axis where there is one answer a row."""
    del proto.graph.output[:]
    shape = helper.make_tensor("tidegate_flat", TensorProto.INT64, [1], np.array([-1]))
    proto.graph.initializer.append(shape)
    for tensor in tensors:
        source, elements = sources[tensor.name], TensorProto.STRING
        if tensor.datatype == "FP64":
            elements = TensorProto.DOUBLE
            proto.graph.node.append(helper.make_node("Cast", [source], [f"{source}_double"], to=elements))
            source = f"{source}_double"
        elif tensor.datatype == "INT64":
            elements = TensorProto.INT64
        if tensor.width:
            proto.graph.node.append(helper.make_node("Identity", [source], [tensor.name]))
        else:
            proto.graph.node.append(helper.make_node("Reshape", [source, "tidegate_flat"], [tensor.name]))
        axes: list[str | int | None] = ["rows", tensor.width] if tensor.width else ["rows"]
        proto.graph.output.append(helper.make_tensor_value_info(tensor.name, elements, axes))


def _rename_tensor(proto: onnx.ModelProto, old: str, new: str) -> None:
    for value in (*proto.graph.output, *proto.graph.initializer):
        if value.name == old:
            value.name = new
    for node in proto.graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new


def _serialized(proto: onnx.ModelProto) -> bytes:
    return bytes(proto.SerializeToString(deterministic=True))
