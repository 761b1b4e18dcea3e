"""The models: scores by merchant, looked up in a table that some merchants are not in.

What happens to people who serve embeddings: an id that came up after the table was exported lies beyond its end, the
graph's Gather raises, and the request ends as a 500. Ids are drawn evenly from 0 to 999, so a table of 995 rows fails
0.5 % of the requests and one of 800 rows 20 %, which ones being chance. None of it is NaN: the trip NotFinite stays
on, and has nothing to say.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper, numpy_helper

import tidegate

MODEL = "risk"
MERCHANTS = 1000
KNOWN_TO_STABLE = 995
KNOWN_TO_BAD = 800

STABLE = "risk-stable"
TABLES = {
    STABLE: KNOWN_TO_STABLE,
    "risk-good": KNOWN_TO_STABLE,
    **{f"risk-bad-{number}": KNOWN_TO_BAD for number in (1, 2, 3)},
}
"""Rows of the table by ModelVersion; each has other scores in it, and so a digest of its own."""


def package(name: str, folder: Path) -> tidegate.Bundle:
    """The bundle of a version: its ONNX graph, and a sample of merchants that are in its table."""
    rows = TABLES[name]
    chance = np.random.default_rng(list(TABLES).index(name))
    file = folder / f"{name}.onnx"
    file.write_bytes(_build_graph(chance.uniform(0.0, 0.2, rows)).SerializeToString())
    sample = pd.DataFrame(
        {"merchant": chance.integers(0, rows, 2000), "amount": chance.gamma(2.0, 40.0, 2000)}
    )
    return tidegate.package(file, sample, name=MODEL, folder=folder / name)


def draw_requests(number: int = 20_000) -> list[bytes]:
    """Request bodies: every merchant equally often, in an order by chance, another one in every run."""
    chance = random.Random()
    merchants = list(range(MERCHANTS)) * (number // MERCHANTS)
    chance.shuffle(merchants)
    return [_write(merchant, round(chance.gammavariate(2.0, 40.0), 2)) for merchant in merchants]


def _build_graph(scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> onnx.ModelProto:
    """Score = scores[merchant] + amount / 1000."""
    inputs = [
        helper.make_tensor_value_info("merchant", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("amount", TensorProto.DOUBLE, ["rows"]),
    ]
    nodes = [
        helper.make_node("Gather", ["scores", "merchant"], ["of_merchant"]),
        helper.make_node("Mul", ["amount", "scale"], ["of_amount"]),
        helper.make_node("Add", ["of_merchant", "of_amount"], ["score"]),
    ]
    constants = [
        numpy_helper.from_array(scores, "scores"),
        numpy_helper.from_array(np.array(0.001), "scale"),
    ]
    output = helper.make_tensor_value_info("score", TensorProto.DOUBLE, ["rows"])
    graph = helper.make_graph(nodes, MODEL, inputs, [output], initializer=constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _write(merchant: int, amount: float) -> bytes:
    tensors = (("merchant", "INT64", merchant), ("amount", "FP64", amount))
    return json.dumps(
        {
            "inputs": [
                {"name": name, "shape": [1], "datatype": kind, "data": [value]}
                for name, kind, value in tensors
            ]
        }
    ).encode()
