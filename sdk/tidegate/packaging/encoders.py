"""Fitted category encoders of scikit-learn as one lookup a column, missing and unseen values included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tidegate.packaging.graph import MISSING_STRING, Graph, Part, Value
from tidegate.packaging.refusal import PackagingRefusedError


def convert_one_hot_encoder(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    """One column a category kept; infrequent, dropped, missing and unseen ones as the encoder was told."""
    places: list[str] = []
    widths: list[int] = []
    for index, column in enumerate(graph.columns(value)):
        targets, width, unseen = _one_hot_places(step, index)
        places.append(lookup(graph, column, step.categories_[index], targets=targets, unseen=unseen))
        widths.append(width)
    # All columns at once: repeat each lookup by its width, and compare with the place that each output stands for.
    repeated = graph.add(
        "Gather",
        places[0] if len(places) == 1 else graph.add("Concat", *places, axis=1),
        graph.constant(np.repeat(np.arange(len(widths)), widths), np.int64),
        axis=1,
    )
    own = graph.constant(np.concatenate([np.arange(width) for width in widths]))
    return (Part(graph.to_float64(graph.add("Equal", repeated, own)), sum(widths)),)


def _one_hot_places(step: Any, index: int) -> tuple[list[float], int, float]:  # noqa: ANN401
    """Gives each category's output column (-1: none), the number of outputs, and where unseen ones go."""
    codes, infrequent = _frequent_codes(step, index)
    count = max(codes) + 1
    dropped = None if step.drop_idx_ is None else step.drop_idx_[index]
    places: dict[int, int] = {}
    for code in range(count):
        if code != dropped:
            places[code] = len(places)
    unseen = -1
    if infrequent is not None and step.handle_unknown in {"infrequent_if_exist", "warn"}:
        unseen = places.get(infrequent, -1)
    return [float(places.get(code, -1)) for code in codes], len(places), float(unseen)


def convert_ordinal_encoder(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    """The place of each category; unseen ones as `unknown_value` says, NaN where the encoder would refuse them."""
    unseen = math.nan if step.unknown_value is None else float(step.unknown_value)
    encoded: list[Part] = []
    for index, column in enumerate(graph.columns(value)):
        codes, _ = _frequent_codes(step, index)
        categories = step.categories_[index]
        targets = [
            float(step.encoded_missing_value) if is_missing(category) else float(code)
            for category, code in zip(categories, codes, strict=True)
        ]
        encoded.append(Part(lookup(graph, column, categories, targets=targets, unseen=unseen), 1))
    return tuple(encoded)


def convert_target_encoder(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    """The mean target of each category, the overall mean for unseen ones."""
    if step.target_type_ == "multiclass":
        raise PackagingRefusedError(
            "TargetEncoder of a multiclass target can't be converted; use an OneHotEncoder or OrdinalEncoder instead"
        )
    return tuple(
        Part(
            lookup(
                graph,
                column,
                step.categories_[index],
                targets=step.encodings_[index],
                unseen=float(step.target_mean_),
            ),
            1,
        )
        for index, column in enumerate(graph.columns(value))
    )


def lookup(
    graph: Graph, column: Part, categories: Sequence[Any], *, targets: Sequence[float], unseen: float
) -> str:
    """Adds a table from category to a double; a missing value is looked up like any other, if it is a category."""
    if column.text:
        keys = [
            MISSING_STRING if is_missing(category) else category_text(category) for category in categories
        ]
        table = numpy_helper.from_array(np.array(keys, dtype=np.object_), "keys")
    else:
        numbers = [math.nan if is_missing(category) else float(category) for category in categories]
        table = helper.make_tensor("keys", TensorProto.DOUBLE, [len(numbers)], numbers)
    return graph.add(
        "LabelEncoder",
        column.tensor,
        domain="ai.onnx.ml",
        keys_tensor=table,
        values_tensor=helper.make_tensor("values", TensorProto.DOUBLE, [len(targets)], list(targets)),
        default_tensor=helper.make_tensor("unseen", TensorProto.DOUBLE, [1], [unseen]),
    )


def category_text(category: object) -> str:
    """Gives what a caller sends for a category; encoders turn whole numbers into floats, and flags into 0 and 1."""
    if isinstance(category, bool | np.bool_):
        return str(int(category))
    if isinstance(category, float | np.floating) and float(category).is_integer():
        return str(int(category))
    return str(category)


def is_missing(category: object) -> bool:
    """Whether scikit-learn took this category for a missing value: None or NaN."""
    return category is None or bool(isinstance(category, float | np.floating) and np.isnan(category))


def _frequent_codes(step: Any, index: int) -> tuple[list[int], int | None]:  # noqa: ANN401
    """Gives the code of each category after infrequent ones were put together, and the code of those."""
    count = len(step.categories_[index])
    mappings = getattr(step, "_default_to_infrequent_mappings", None)
    if not getattr(step, "_infrequent_enabled", False) or mappings is None or mappings[index] is None:
        return list(range(count)), None
    codes = [int(code) for code in mappings[index]]
    return codes, max(codes)
