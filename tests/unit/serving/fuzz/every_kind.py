"""A classifier that takes a feature of every kind and answers whatever it is sent: what the fuzzers ask."""

from pathlib import Path

import msgspec
import onnx
from onnx import TensorProto, helper

from tidegate.baseline import Baseline, Histogram
from tidegate.bundle import BASELINE_NAME, GOLDEN_NAME, MODEL_NAME, SIGNATURE_NAME, write_bundle
from tidegate.golden import Golden
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor

FEATURES = (
    Feature("amount", FeatureKind.NUMBER, "numbers", 0, nullable=True),
    Feature("visits", FeatureKind.INTEGER, "numbers", 1, nullable=False),
    Feature("share", FeatureKind.NUMBER, "share", 0, nullable=False),
    Feature("member", FeatureKind.BOOLEAN, "member", 0, nullable=False),
    Feature("note", FeatureKind.STRING, "texts", 0, nullable=True, missing=""),
    Feature("country", FeatureKind.CATEGORY, "texts", 1, nullable=False, categories=("DE", "FR")),
)
SIGNATURE = Signature(
    task=Task.BINARY,
    features=FEATURES,
    inputs=(
        Tensor("numbers", "FP32", 2), Tensor("share", "FP64", 0), Tensor("member", "BOOL", 1),
        Tensor("texts", "BYTES", 2),
    ),
    outputs=(Tensor("label", "BYTES", 0), Tensor("probabilities", "FP64", 2)),
    classes=("no", "yes"),
)  # fmt: skip
NUMBERS = Histogram(edges=(1.0,), counts=(1, 1), lowest=0.0, highest=2.0)
BASELINE = Baseline(
    rows=2,
    features={
        "amount": NUMBERS, "visits": NUMBERS, "share": NUMBERS,
        "member": Histogram(values=("false", "true"), counts=(1, 1)),
        "note": Histogram(values=("",), counts=(2,)), "country": Histogram(values=("DE", "FR"), counts=(1, 1)),
    },
    prediction=Histogram(edges=(0.5,), counts=(1, 1), lowest=0.0, highest=1.0),
)  # fmt: skip
GOLDEN = Golden(
    features=tuple(feature.name for feature in FEATURES),
    rows=((0.0, 0, 0.0, False, None, "FR"),),
    outputs={"label": (("no",),), "probabilities": ((0.5, 0.5),)},
)


def graph() -> bytes:
    """The model: the sum of all that is a number, each within ±10, as a probability; one more in Germany."""
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["absent"]),
        helper.make_node("Where", ["absent", "zero", "numbers"], ["filled"]),
        helper.make_node("Clip", ["filled", "least", "most"], ["clipped"]),
        helper.make_node("ReduceSum", ["clipped", "axis"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["sum"], ["doubles"], to=TensorProto.DOUBLE),
        helper.make_node("Clip", ["share", "least_double", "most_double"], ["clipped_share"]),
        helper.make_node("Cast", ["member"], ["member_double"], to=TensorProto.DOUBLE),
        helper.make_node("ReduceSum", ["member_double", "axis"], ["flat_member"], keepdims=0),
        helper.make_node("LabelEncoder", ["texts"], ["bonus"], domain="ai.onnx.ml", keys_strings=["DE"],
                         values_floats=[1.0], default_float=0.0),
        helper.make_node("ReduceSum", ["bonus", "axis"], ["bonus_sum"], keepdims=0),
        helper.make_node("Cast", ["bonus_sum"], ["flat_bonus"], to=TensorProto.DOUBLE),
        helper.make_node("Sum", ["doubles", "clipped_share", "flat_member", "flat_bonus"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["flat_yes"]),
        helper.make_node("Unsqueeze", ["flat_yes", "axis"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["best"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "best"], ["label"], axis=0),
    ]  # fmt: skip
    constants = [
        helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("least", TensorProto.FLOAT, [], [-10.0]),
        helper.make_tensor("most", TensorProto.FLOAT, [], [10.0]),
        helper.make_tensor("least_double", TensorProto.DOUBLE, [], [-10.0]),
        helper.make_tensor("most_double", TensorProto.DOUBLE, [], [10.0]),
        helper.make_tensor("one", TensorProto.DOUBLE, [1], [1.0]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("classes", TensorProto.STRING, [2], ["no", "yes"]),
    ]
    inputs = [
        helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info("share", TensorProto.DOUBLE, [None]),
        helper.make_tensor_value_info("member", TensorProto.BOOL, [None, 1]),
        helper.make_tensor_value_info("texts", TensorProto.STRING, [None, 2]),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, 2]),
    ]
    drawn = helper.make_graph(nodes, "every_kind", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(drawn, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write_every_kind(folder: Path) -> str:
    """Writes the bundle; gives its digest."""
    files = {
        MODEL_NAME: graph(),
        SIGNATURE_NAME: msgspec.json.encode(SIGNATURE),
        BASELINE_NAME: msgspec.json.encode(BASELINE),
        GOLDEN_NAME: msgspec.json.encode(GOLDEN),
    }
    return write_bundle(folder, files, model="fraud", created_by="tests")
