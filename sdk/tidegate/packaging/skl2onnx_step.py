"""Steps that we have no converter for, by skl2onnx, each on a matrix of doubles, spliced into the graph."""

from __future__ import annotations

from typing import Any

import onnx
import onnx.compose
import onnxruntime

from tidegate.packaging.graph import OPSET, Graph, Part, Value
from tidegate.packaging.refusal import PackagingRefusedError


def convert_transformer_by_skl2onnx(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    """Adds a transformer's nodes; its output counts as doubles."""
    outputs = splice(graph, step, value)
    width = len(step.get_feature_names_out())
    return (Part(graph.to_float64(outputs[0]), width),)


def splice(graph: Graph, step: Any, value: Value) -> list[str]:  # noqa: ANN401
    """Converts one fitted step and copies its nodes; gives the names of its outputs in order."""
    tensor = graph.numbers(value, type(step).__name__)
    width = sum(part.width for part in value)
    model = _converted(step, width)
    prefix = graph.new_name(type(step).__name__) + "_"
    body = onnx.compose.add_prefix_graph(model.graph, prefix)
    elements = model.graph.input[0].type.tensor_type.elem_type
    source = tensor if elements == onnx.TensorProto.DOUBLE else graph.to_float32(tensor)
    graph.nodes.append(onnx.helper.make_node("Identity", [source], [body.input[0].name]))
    graph.nodes.extend(body.node)
    graph.constants.extend(body.initializer)
    return [output.name for output in body.output]


def _converted(step: Any, width: int) -> onnx.ModelProto:  # noqa: ANN401
    from skl2onnx import to_onnx  # noqa: PLC0415 - slow to import, and most models never need it
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType  # noqa: PLC0415

    options = {id(step): {"zipmap": False}} if hasattr(step, "predict_proba") else None
    failure: Exception | None = None
    # Doubles first, as scikit-learn computes; several of skl2onnx's converters know float32 only.
    for tensor_type in (DoubleTensorType, FloatTensorType):
        try:
            model: onnx.ModelProto = to_onnx(
                step,
                initial_types=[("X", tensor_type([None, width]))],
                options=options,
                target_opset={"": OPSET, "ai.onnx.ml": 3},
            )
            # Some converters mix float32 into a graph of doubles, which only the runtime notices.
            onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - skl2onnx raises whatever its converters raise
            failure = failure or error
        else:
            if not model.functions:  # what splices nodes can't bring their definitions along
                return model
            failure = failure or NotImplementedError("skl2onnx writes it as a function of its own")
    reason = str(failure).strip().splitlines()[0][:200] if str(failure).strip() else type(failure).__name__
    raise PackagingRefusedError(
        f"step {type(step).__name__} can't be converted to ONNX ({reason}); do this step before the model, "
        "replace it by one that can be, or give an ONNX file of your own"
    ) from failure
