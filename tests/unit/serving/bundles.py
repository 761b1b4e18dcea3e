"""Builders of tiny real bundles for the predictor's tests."""

from pathlib import Path

import msgspec
import onnx
from onnx import TensorProto, helper

from tidegate.baseline import Baseline, Histogram
from tidegate.bundle import BASELINE_NAME, GOLDEN_NAME, MODEL_NAME, SIGNATURE_NAME, write_bundle
from tidegate.golden import Golden
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor

FEATURES = (
    Feature("amount", FeatureKind.NUMBER, tensor="numbers", column=0, nullable=True),
    Feature("visits", FeatureKind.INTEGER, tensor="numbers", column=1, nullable=False),
    Feature(
        "country", FeatureKind.CATEGORY, tensor="country", column=0, nullable=False, categories=("DE", "FR")
    ),
)
SIGNATURE = Signature(
    task=Task.REGRESSION,
    features=FEATURES,
    inputs=(Tensor("numbers", "FP32", 2), Tensor("country", "BYTES", 1)),
    outputs=(Tensor("prediction", "FP32", 0),),
)
BASELINE = Baseline(
    rows=4,
    features={
        "amount": Histogram(edges=(0.7, 10.0), counts=(1, 2, 1), lowest=0.0, highest=100.0),
        "visits": Histogram(edges=(2.0,), counts=(2, 2), lowest=0.0, highest=9.0),
        "country": Histogram(values=("DE", "FR"), counts=(3, 1)),
    },
    prediction=Histogram(edges=(5.0,), counts=(2, 2), lowest=0.0, highest=110.0),
)
GOLDEN = Golden(
    features=("amount", "visits", "country"),
    rows=((1.5, 2, "DE"), (4.0, 3, "FR")),
    outputs={"prediction": ((4.5,), (7.0,))},
)


def sum_graph() -> bytes:
    """The model: amount + visits, one more in Germany; a missing amount counts as -1, and 1e30 overflows."""
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["absent"]),
        helper.make_node("Where", ["absent", "minus_one", "numbers"], ["filled"]),
        helper.make_node("Mul", ["filled", "tiny_overflow"], ["huge"]),
        helper.make_node("Mul", ["huge", "undo"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axis"], ["total"], keepdims=0),
        helper.make_node("LabelEncoder", ["country"], ["bonus"], domain="ai.onnx.ml", keys_strings=["DE"],
                         values_floats=[1.0], default_float=0.0),
        helper.make_node("ReduceSum", ["bonus", "axis"], ["flat_bonus"], keepdims=0),
        helper.make_node("Add", ["total", "flat_bonus"], ["prediction"]),
    ]  # fmt: skip
    constants = [
        helper.make_tensor("minus_one", TensorProto.FLOAT, [1], [-1.0]),
        helper.make_tensor("tiny_overflow", TensorProto.FLOAT, [1], [2.0**40]),
        helper.make_tensor("undo", TensorProto.FLOAT, [1], [2.0**-40]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ]
    inputs = [
        helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info("country", TensorProto.STRING, [None, 1]),
    ]
    outputs = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None])]
    graph = helper.make_graph(nodes, "sum", inputs, outputs, constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write_sum_bundle(folder: Path, *, golden: Golden = GOLDEN, model: bytes | None = None) -> str:
    """Writes a bundle that is right in itself; gives its digest."""
    files = {
        MODEL_NAME: sum_graph() if model is None else model,
        SIGNATURE_NAME: msgspec.json.encode(SIGNATURE),
        BASELINE_NAME: msgspec.json.encode(BASELINE),
        GOLDEN_NAME: msgspec.json.encode(golden),
    }
    return write_bundle(folder, files, model="fraud", created_by="tests")
