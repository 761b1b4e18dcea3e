"""Tiny real bundles for the behaviour gate, each with one habit."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
from onnx import NodeProto, TensorProto, helper
from tests.unit.serving.bundles import BASELINE, GOLDEN, NUMBERS, SIGNATURE

from tidegate.baseline import Baseline, Histogram
from tidegate.bundle import BASELINE_NAME, GOLDEN_NAME, MODEL_NAME, SIGNATURE_NAME, write_bundle
from tidegate.golden import Golden

ROWS = ((1.0, 2.0, 4.0), (0.5, 0.25, -3.0))
_MINUS_ONE = helper.make_tensor("minus_one", TensorProto.FLOAT, [1], [-1.0])
_COLUMNS = helper.make_tensor("columns", TensorProto.INT64, [1], [1])
_FILL = (
    helper.make_node("IsNaN", ["x"], ["absent"]),
    helper.make_node("Where", ["absent", "minus_one", "x"], ["filled"]),
    helper.make_node("ReduceSum", ["filled", "columns"], ["sum"], keepdims=1),
)


def numbers_graph(*nodes: NodeProto) -> bytes:
    """A model of three numbers a, b, c that adds them (missing: −1) into `sum`; `nodes` make `prediction` of it."""
    graph = helper.make_graph(
        [*_FILL, *nodes],
        "numbers",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None, 1])],
        [_MINUS_ONE, _COLUMNS],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()


def restless_graph() -> bytes:
    """Adds up to a hundredth of the tolerance by chance, as a dropout that was left in would."""
    chance = helper.make_node("RandomUniformLike", ["sum"], ["chance"], low=0.0, high=1e-6)
    return numbers_graph(chance, helper.make_node("Add", ["sum", "chance"], ["prediction"]))


def sociable_graph() -> bytes:
    """Takes the mean of all rows of the request off, as a normalization that was left in training mode would."""
    mean = helper.make_node("ReduceMean", ["sum"], ["mean"], axes=[0], keepdims=1)
    return numbers_graph(mean, helper.make_node("Sub", ["sum", "mean"], ["prediction"]))


def gapless_graph() -> bytes:
    """Lets a missing number through to its answer."""
    return numbers_graph(
        helper.make_node("ReduceSum", ["x", "columns"], ["bare"], keepdims=1),
        helper.make_node("Max", ["sum", "bare"], ["prediction"]),
    )


def rounding_graph() -> bytes:
    """Three hundred trees whose float32 sum depends on the order in which threads add them: 10⁸, 298 ones, −10⁸."""
    weights = [1e8] + [1.0] * 298 + [-1e8]
    places = range(len(weights))
    nodes, leaves = [tree for tree in places for _ in range(3)], [tree for tree in places for _ in range(2)]
    count = len(weights)
    return numbers_graph(
        helper.make_node(
            "TreeEnsembleRegressor", ["filled"], ["prediction"], domain="ai.onnx.ml", n_targets=1,
            nodes_treeids=nodes, nodes_nodeids=[0, 1, 2] * count, nodes_featureids=[0] * len(nodes),
            nodes_values=[0.0] * len(nodes), nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"] * count,
            nodes_truenodeids=[1, 0, 0] * count, nodes_falsenodeids=[2, 0, 0] * count,
            target_treeids=leaves, target_nodeids=[1, 2] * count, target_ids=[0] * len(leaves),
            target_weights=[weight for weight in weights for _ in range(2)],
        )
    )  # fmt: skip


def write_numbers(folder: Path, graph: bytes) -> Path:
    """A bundle of such a graph, with the golden answers that one thread gives to both rows together."""
    session = onnxruntime.InferenceSession(graph, _one_thread(), providers=["CPUExecutionProvider"])
    (answers,) = session.run(["prediction"], {"x": np.array(ROWS, np.float32)})
    histogram = Histogram(edges=(0.0,), counts=(1, 1), lowest=-10.0, highest=10.0)
    baseline = Baseline(rows=2, features=dict.fromkeys("abc", histogram), prediction=histogram)
    outputs = {"prediction": tuple(tuple(row) for row in answers.tolist())}
    _write(folder, (graph, NUMBERS, baseline, Golden(("a", "b", "c"), ROWS, outputs)))
    return folder


def write_picky(folder: Path) -> Path:
    """A bundle of amount, visits and country that fails on countries it does not know."""
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["absent"]),
        helper.make_node("Where", ["absent", "minus_one", "numbers"], ["filled"]),
        helper.make_node("ReduceSum", ["filled", "columns"], ["total"], keepdims=0),
        helper.make_node("LabelEncoder", ["country"], ["bonus"], domain="ai.onnx.ml", keys_strings=["DE", "FR"],
                         values_floats=[1.0, 0.0], default_float=float("nan")),
        helper.make_node("ReduceSum", ["bonus", "columns"], ["flat_bonus"], keepdims=0),
        helper.make_node("Add", ["total", "flat_bonus"], ["prediction"]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info("country", TensorProto.STRING, [None, 1]),
    ]
    outputs = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None])]
    graph = helper.make_graph(nodes, "picky", inputs, outputs, [_MINUS_ONE, _COLUMNS])
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()
    _write(folder, (model, SIGNATURE, BASELINE, GOLDEN))
    return folder


def _write(folder: Path, parts: tuple[bytes, msgspec.Struct, msgspec.Struct, msgspec.Struct]) -> None:
    model, *others = parts
    names = (SIGNATURE_NAME, BASELINE_NAME, GOLDEN_NAME)
    files = {name: msgspec.json.encode(part) for name, part in zip(names, others, strict=True)}
    write_bundle(folder, {MODEL_NAME: model} | files, model="fraud", created_by="tests")


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return options
