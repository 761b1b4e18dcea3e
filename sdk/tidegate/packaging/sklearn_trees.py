"""scikit-learn's trees, forests and gradient boosting, read node by node; they compare in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tidegate.packaging.answers import (
    Answer,
    binary_probabilities,
    flat,
    softmax_probabilities,
)
from tidegate.packaging.graph import Graph, Value
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.trees import Ensemble, TreeTable, add_ensemble, float32_below

Weights = Callable[[int], dict[int, float]]


def convert_tree(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """One decision tree: a forest of one."""
    return _convert_forest(graph, model, value, [model])


def convert_forest(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """Random forests and extra trees: the mean over the trees."""
    return _convert_forest(graph, model, value, model.estimators_)


def convert_gradient_boosting(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """GradientBoostingClassifier and -Regressor: an initial score, and a tree a step and class."""
    targets = model.estimators_.shape[1]
    ensemble = Ensemble(
        trees=tuple(
            _table(tree.tree_, _boosted_leaf(tree.tree_.value, target, model.learning_rate))
            for step in model.estimators_
            for target, tree in enumerate(step)
        ),
        targets=targets,
        base_values=_initial_scores(model, sum(part.width for part in value)),
    )
    scores = _scores(graph, ensemble, value, type(model).__name__)
    if not hasattr(model, "classes_"):
        return Answer(prediction=flat(graph, scores))
    if model.loss == "exponential":
        raise PackagingRefusedError(
            "GradientBoostingClassifier(loss='exponential') can't be converted; use loss='log_loss'"
        )
    return Answer(
        probabilities=(binary_probabilities if targets == 1 else softmax_probabilities)(graph, scores)
    )


def _initial_scores(model: Any, width: int) -> tuple[float, ...]:  # noqa: ANN401
    if model.init_ == "zero":
        return ()
    if type(model.init_).__name__ not in {"DummyClassifier", "DummyRegressor"}:
        raise PackagingRefusedError(
            f"{type(model).__name__}(init={type(model.init_).__name__}) can't be converted; leave init at None"
        )
    # It ignores the features, so any row gives the same start.
    return tuple(float(score) for score in model._raw_predict_init(np.zeros((1, width), dtype=np.float32))[0])  # noqa: SLF001


def _convert_forest(graph: Graph, model: Any, value: Value, trees: list[Any]) -> Answer:  # noqa: ANN401
    if getattr(model, "n_outputs_", 1) != 1:
        raise PackagingRefusedError(
            f"{type(model).__name__} answers {model.n_outputs_} targets at once; train and package one model a target"
        )
    classifier = hasattr(model, "classes_")
    ensemble = Ensemble(
        trees=tuple(
            _table(tree.tree_, _mean_leaf(tree.tree_.value, len(trees), classifier=classifier))
            for tree in trees
        ),
        targets=len(model.classes_) if classifier else 1,
    )
    scores = _scores(graph, ensemble, value, type(model).__name__)
    return Answer(probabilities=scores) if classifier else Answer(prediction=flat(graph, scores))


def _scores(graph: Graph, ensemble: Ensemble, value: Value, name: str) -> str:
    return add_ensemble(graph, ensemble, graph.to_float32(graph.numbers(value, name)), double=False)


def _mean_leaf(values: Any, trees: int, *, classifier: bool) -> Weights:  # noqa: ANN401
    # Divided here, in double, instead of by ONNX's AVERAGE: a sum of float32 counts would round first.
    def weights(node: int) -> dict[int, float]:
        row = values[node, 0]
        total = row.sum() * trees if classifier else trees
        return {target: float(weight / total) for target, weight in enumerate(row) if weight or target == 0}

    return weights


def _boosted_leaf(values: Any, target: int, learning_rate: float) -> Weights:  # noqa: ANN401
    return lambda node: {target: float(values[node, 0, 0]) * learning_rate}


def _table(tree: Any, leaf: Weights) -> TreeTable:  # noqa: ANN401
    table = TreeTable()
    thresholds = float32_below(np.asarray(tree.threshold, dtype=np.float64)).tolist()
    missing_left = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count, dtype=bool)).tolist()
    features, lefts, rights = tree.feature.tolist(), tree.children_left.tolist(), tree.children_right.tolist()
    for _ in range(tree.node_count):
        table.reserve()
    for node, (left, right) in enumerate(zip(lefts, rights, strict=True)):
        if left == right:  # both -1
            table.set_leaf(node, leaf(node))
        else:
            table.set_split(
                node,
                features[node],
                mode="BRANCH_LEQ",
                threshold=thresholds[node],
                true=left,
                false=right,
                missing_true=bool(missing_left[node]),
            )
    return table
