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


NUMBERS = Signature(
    task=Task.REGRESSION,
    features=tuple(
        Feature(name, FeatureKind.NUMBER, tensor="x", column=place, nullable=True)
        for place, name in enumerate("abc")
    ),
    inputs=(Tensor("x", "FP32", 3),),
    outputs=(Tensor("prediction", "FP32", 1),),
)


def numbers_graph(*, together: str = "alike") -> bytes:
    """A model of three numbers: their sum; NaN counts as -1.

    `together`: rows in one call are answered alike, lose their company's mean (`by mean`), or are not taken (`never`).
    """
    nodes = [
        helper.make_node("IsNaN", ["x"], ["absent"]),
        helper.make_node("Where", ["absent", "minus_one", "x"], ["filled"]),
        helper.make_node("ReduceSum", ["filled", "columns"], ["sum"], keepdims=1),
        helper.make_node("ReduceMean", ["sum"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["sum", "mean"], ["deviation"]),
        helper.make_node("Identity", ["deviation" if together == "by mean" else "sum"], ["prediction"]),
    ]
    constants = [
        helper.make_tensor("minus_one", TensorProto.FLOAT, [1], [-1.0]),
        helper.make_tensor("columns", TensorProto.INT64, [1], [1]),
    ]
    rows = 1 if together == "never" else None
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, 3])]
    outputs = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [rows, 1])]
    graph = helper.make_graph(nodes, "numbers", inputs, outputs, constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()


def write_numbers_bundle(folder: Path, *, together: str = "alike") -> str:
    """Writes a bundle of that model; gives its digest."""
    histogram = Histogram(edges=(0.0,), counts=(1, 1), lowest=-10.0, highest=10.0)
    rows = ((1.0, 2.0, 4.0),) if together == "never" else ((1.0, 2.0, 4.0), (0.5, 0.25, -3.0))
    answers = ((0.0,),) * 2 if together == "by mean" else tuple((sum(row),) for row in rows)
    files = {
        MODEL_NAME: numbers_graph(together=together),
        SIGNATURE_NAME: msgspec.json.encode(NUMBERS),
        BASELINE_NAME: msgspec.json.encode(
            Baseline(rows=2, features=dict.fromkeys("abc", histogram), prediction=histogram)
        ),
        GOLDEN_NAME: msgspec.json.encode(
            Golden(features=("a", "b", "c"), rows=rows, outputs={"prediction": answers})
        ),
    }
    return write_bundle(folder, files, model="fraud", created_by="tests")


def write_sum_bundle(folder: Path, *, golden: Golden = GOLDEN, model: bytes | None = None) -> str:
    """Writes a bundle that is right in itself; gives its digest."""
    files = {
        MODEL_NAME: sum_graph() if model is None else model,
        SIGNATURE_NAME: msgspec.json.encode(SIGNATURE),
        BASELINE_NAME: msgspec.json.encode(BASELINE),
        GOLDEN_NAME: msgspec.json.encode(golden),
    }
    return write_bundle(folder, files, model="fraud", created_by="tests")
