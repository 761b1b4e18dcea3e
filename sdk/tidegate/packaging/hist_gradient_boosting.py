"""scikit-learn's HistGradientBoosting models, read node by node.

skl2onnx reads fields that scikit-learn 1.9 renamed, and never knew categorical splits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tidegate.packaging.answers import Answer, binary_probabilities, flat, softmax_probabilities
from tidegate.packaging.graph import Graph, Value
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.transformers import convert_transformer
from tidegate.packaging.trees import Ensemble, TreeTable, add_ensemble


def convert_hist_gradient_boosting(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """Adds the model's trees and its link."""
    name = type(model).__name__
    if model._preprocessor is not None:  # noqa: SLF001 - encodes categories, and puts their columns first
        value = convert_transformer(graph, model._preprocessor, value)  # noqa: SLF001
    # One predictor a boosting step and class; each step's k-th tree adds to class k.
    ensemble = Ensemble(
        trees=tuple(
            _tree(predictor, target, model)
            for step in model._predictors  # noqa: SLF001
            for target, predictor in enumerate(step)
        ),
        targets=model.n_trees_per_iteration_,
        base_values=tuple(float(base) for base in np.ravel(model._baseline_prediction)),  # noqa: SLF001
    )
    scores = add_ensemble(graph, ensemble, graph.numbers(value, name), double=True)
    if hasattr(model, "classes_"):
        binary = model.n_trees_per_iteration_ == 1
        return Answer(
            probabilities=(binary_probabilities if binary else softmax_probabilities)(graph, scores)
        )
    return Answer(prediction=_linked(graph, flat(graph, scores), model.loss))


def _linked(graph: Graph, scores: str, loss: str) -> str:
    if loss in {"squared_error", "absolute_error", "quantile"}:
        return scores
    if loss in {"poisson", "gamma"}:
        return graph.add("Exp", scores)
    raise PackagingRefusedError(
        f"HistGradientBoostingRegressor with loss {loss} can't be converted; use squared_error, absolute_error, "
        "quantile, poisson or gamma"
    )


def _tree(predictor: Any, target: int, model: Any) -> TreeTable:  # noqa: ANN401
    table = TreeTable()
    for _ in predictor.nodes:
        table.reserve()
    names = predictor.nodes.dtype.names
    # As Python values: reading a structured array field by field takes seconds for a few hundred trees.
    for index, row in enumerate(predictor.nodes.tolist()):
        node = dict(zip(names, row, strict=True))
        if node["is_leaf"]:
            table.set_leaf(index, {target: float(node["value"])})
            continue
        feature, left, right = int(node["feature_idx"]), int(node["left"]), int(node["right"])
        if node["is_categorical"]:
            _set_categories(table, index, node=node, predictor=predictor, mapper=model._bin_mapper)  # noqa: SLF001
        else:
            table.set_split(
                index,
                feature,
                mode="BRANCH_LEQ",
                threshold=float(node["num_threshold"]),
                true=left,
                false=right,
                missing_true=bool(node["missing_go_to_left"]),
            )
    return table


def _set_categories(table: TreeTable, index: int, *, node: Any, predictor: Any, mapper: Any) -> None:  # noqa: ANN401
    """Turns the bitset of the node into members; what is in no training category goes the way of missing ones."""
    feature, left, right = int(node["feature_idx"]), int(node["left"]), int(node["right"])
    bits = predictor.raw_left_cat_bitsets[int(node["bitset_idx"])]
    known = [int(category) for category in mapper.bin_thresholds_[feature]]
    leftward = [category for category in known if bits[category // 32] >> (category % 32) & 1]
    if node["missing_go_to_left"]:
        # By the right-hand set, so that unseen categories, too, end up on the left.
        rightward = [category for category in known if category not in set(leftward)]
        table.set_membership(
            index, feature, members=rightward or [-1], inside=right, outside=left, missing_inside=False
        )
    else:
        table.set_membership(
            index, feature, members=leftward or [-1], inside=left, outside=right, missing_inside=False
        )
