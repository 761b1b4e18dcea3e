"""LightGBM models, read from the booster's dump; it compares in float64.

onnxmltools rounds thresholds to float32, and doesn't know which code a pandas category had.
"""

from __future__ import annotations

import math
from typing import Any, Final

from tidegate.packaging.answers import (
    Answer,
    binary_probabilities,
    flat,
    softmax_probabilities,
    with_complement,
)
from tidegate.packaging.encoders import lookup
from tidegate.packaging.graph import Graph, Part, Value
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.trees import Ensemble, TreeTable, add_ensemble

_LOG_LINK: Final = {"poisson", "gamma", "tweedie"}
_IDENTITY: Final = {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}


def convert_lightgbm(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """Adds the trees of an LGBMClassifier, LGBMRegressor or Booster, and its link."""
    booster = getattr(model, "booster_", model)
    dump = booster.dump_model()  # up to the best iteration, as predict does
    objective, *options = dump["objective"].split()
    targets = dump["num_tree_per_iteration"]
    trees = tuple(_tree(tree, number % targets) for number, tree in enumerate(dump["tree_info"]))
    ensemble = Ensemble(trees, targets, aggregate="AVERAGE" if dump["average_output"] else "SUM")
    encoded = _encoded(graph, value, dump.get("pandas_categorical") or [])
    tensor = graph.numbers(encoded, type(model).__name__)
    scores = graph.to_float64(add_ensemble(graph, ensemble, tensor, double=True))
    return _linked(graph, scores, objective, options)


def _linked(graph: Graph, scores: str, objective: str, options: list[str]) -> Answer:
    if objective == "binary":
        return Answer(probabilities=binary_probabilities(graph, _steeper(graph, scores, options)))
    if objective == "cross_entropy":
        return Answer(probabilities=with_complement(graph, graph.add("Sigmoid", scores)))
    if objective == "multiclass":
        return Answer(probabilities=softmax_probabilities(graph, scores))
    if objective == "multiclassova":
        return Answer(probabilities=graph.add("Sigmoid", _steeper(graph, scores, options)))
    if objective in _LOG_LINK:
        return Answer(prediction=graph.add("Exp", flat(graph, scores)))
    if objective in _IDENTITY and "sqrt" not in options:
        return Answer(prediction=flat(graph, scores))
    raise PackagingRefusedError(
        f"LightGBM's objective {' '.join([objective, *options])} can't be converted; use binary, multiclass, "
        "multiclassova, regression, regression_l1, huber, fair, quantile, mape, poisson, gamma or tweedie"
    )


def _steeper(graph: Graph, scores: str, options: list[str]) -> str:
    steepness = next(float(option[8:]) for option in options if option.startswith("sigmoid:"))
    return graph.add("Mul", scores, graph.constant([[steepness]]))


def _encoded(graph: Graph, value: Value, categories: list[list[Any]]) -> Value:
    """Turns text columns into the category codes of training, in the order of the frame's category columns."""
    if not any(part.text for part in value):
        return value
    columns = graph.columns(value)
    if sum(column.text for column in columns) != len(categories):
        raise PackagingRefusedError(
            f"the LightGBM model was trained on {len(categories)} category columns, but the sample has "
            f"{sum(column.text for column in columns)}; give the sample the dtypes of the training data"
        )
    known = iter(categories)
    return tuple(_coded(graph, column, next(known)) if column.text else column for column in columns)


def _coded(graph: Graph, column: Part, categories: list[Any]) -> Part:
    codes = [float(code) for code in range(len(categories))]
    return Part(lookup(graph, column, categories, targets=codes, unseen=math.nan), 1)


def _tree(tree: dict[str, Any], target: int) -> TreeTable:
    table = TreeTable()
    pending = [(table.reserve(), tree["tree_structure"])]
    while pending:  # no recursion: leaf-wise trees may be a thousand deep
        node, content = pending.pop()
        if "split_index" not in content:
            if "leaf_const" in content:
                raise PackagingRefusedError(
                    "LightGBM's linear_tree=True can't be converted; train without it"
                )
            table.set_leaf(node, {target: content["leaf_value"]})
            continue
        left, right = table.reserve(), table.reserve()
        _set_split(table, node, content, left=left, right=right)
        pending += [(left, content["left_child"]), (right, content["right_child"])]
    return table


def _set_split(table: TreeTable, node: int, content: dict[str, Any], *, left: int, right: int) -> None:
    feature = content["split_feature"]
    if content["decision_type"] == "==":
        members = [int(member) for member in str(content["threshold"]).split("||")]
        table.set_membership(node, feature, members=members, inside=left, outside=right, missing_inside=False)
        return
    threshold = float(content["threshold"])
    match content["missing_type"]:
        case "NaN":
            missing_left = bool(content["default_left"])
        case "None":
            missing_left = threshold >= 0  # LightGBM reads a NaN as 0 where training saw none
        case _:
            raise PackagingRefusedError(
                "LightGBM's zero_as_missing=True can't be converted; train without it"
            )
    table.set_split(
        node,
        feature,
        mode="BRANCH_LEQ",
        threshold=threshold,
        true=left,
        false=right,
        missing_true=missing_left,
    )
