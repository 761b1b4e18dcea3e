"""From a native model to an ONNX model that answers the same columns, and the way to ask it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from tidegate.columns import ColumnsCodec
from tidegate.packaging.answers import LABEL, PREDICTION, PROBABILITIES, Meaning, name_outputs
from tidegate.packaging.estimators import convert_estimator
from tidegate.packaging.graph import IR_VERSION, ML_OPSET, OPSET, STRINGS, Graph, Part, Value
from tidegate.packaging.native import Answers, NativeModel
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.sample import Sample, input_tensors
from tidegate.signature import Signature, Task, Tensor

_ELEMENTS = {"FP64": TensorProto.DOUBLE, "INT64": TensorProto.INT64, "BYTES": TensorProto.STRING}


def convert_model(native: NativeModel, sample: Sample) -> bytes:
    """Gives the bytes of an ONNX model with the inputs and outputs of the signature."""
    graph = Graph()
    answer = convert_estimator(graph, native.model, _entrance(graph, sample))
    if native.labels:
        answer = dataclasses.replace(answer, label="")  # not what the model calls it
    name_outputs(graph, answer, native.meaning)
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "tidegate",
            [_value_info(tensor) for tensor in input_tensors(sample.features)],
            [_value_info(tensor) for tensor in output_tensors(native.meaning)],
            initializer=graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        ir_version=IR_VERSION,
        producer_name="tidegate",
    )
    return bytes(proto.SerializeToString(deterministic=True))


def output_tensors(meaning: Meaning) -> tuple[Tensor, ...]:
    """Gives the outputs that a model of this meaning has."""
    if meaning.task is Task.REGRESSION:
        return (Tensor(PREDICTION, "FP64", 0),)
    label = Tensor(LABEL, "INT64" if meaning.whole() else "BYTES", 0)
    return (label, Tensor(PROBABILITIES, "FP64", len(meaning.classes)))


class ConvertedModel:
    """An ONNX model in ONNX Runtime, asked through the very codec that the predictor uses."""

    def __init__(self, content: bytes, signature: Signature) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions have no common base but this
            reason = str(error).strip().splitlines()[0][:200]
            raise PackagingRefusedError(f"ONNX Runtime can't load the converted model: {reason}") from error
        self._signature = signature
        self._codec = ColumnsCodec(signature)

    def answer(self, sample: Sample) -> Answers:
        """Asks the model about every row."""
        names = [tensor.name for tensor in self._signature.outputs]
        outputs = self._session.run(names, self._codec.encode(sample.columns()))
        return {
            name: np.asarray(output, dtype=np.float64) if name in {PROBABILITIES, PREDICTION} else output
            for name, output in zip(names, outputs, strict=True)
        }


def _entrance(graph: Graph, sample: Sample) -> Value:
    """Gives the columns in the sample's order, as parts of the graph's inputs."""
    inputs = tuple(
        Part(tensor.name, tensor.width, text=tensor.name == STRINGS)
        for tensor in input_tensors(sample.features)
    )
    offsets = {
        part.tensor: sum(before.width for before in inputs[:place]) for place, part in enumerate(inputs)
    }
    return graph.select(inputs, [offsets[feature.tensor] + feature.column for feature in sample.features])


def _value_info(tensor: Tensor) -> Any:  # noqa: ANN401 - a ValueInfoProto
    shape: list[str | int | None] = ["rows", tensor.width] if tensor.width else ["rows"]
    return helper.make_tensor_value_info(tensor.name, _ELEMENTS[tensor.datatype], shape)


def check_graph(content: bytes) -> onnx.ModelProto:
    """Reads an ONNX file.

    Raises:
        PackagingRefusedError: It is not a valid ONNX model.
    """
    try:
        proto = onnx.load_model_from_string(content)
        onnx.checker.check_model(proto)
    except Exception as error:  # protobuf's and the checker's errors have no common base but this
        reason = str(error).strip().splitlines()[0][:200]
        raise PackagingRefusedError(f"this is no valid ONNX model: {reason}") from error
    return proto
