"""Linear models of scikit-learn, in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from tidegate.packaging.answers import Answer, binary_probabilities, flat, softmax_probabilities
from tidegate.packaging.graph import Graph, Value
from tidegate.packaging.refusal import PackagingRefusedError


def convert_logistic_regression(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """LogisticRegression and -CV: multinomial, or two classes by one score."""
    if getattr(model, "multi_class", "deprecated") == "ovr" or (
        getattr(model, "solver", "") == "liblinear" and len(model.classes_) > 2
    ):
        raise PackagingRefusedError(
            "LogisticRegression that fits one class against the rest can't be converted; use solver='lbfgs'"
        )
    scores = _scores(graph, model, value)
    binary = len(model.classes_) == 2
    return Answer(probabilities=(binary_probabilities if binary else softmax_probabilities)(graph, scores))


def convert_linear_regression(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """Regressions whose prediction is the score itself."""
    return Answer(prediction=flat(graph, _scores(graph, model, value)))


def convert_log_linear_regression(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """Poisson and gamma regressions: the exponential of the score."""
    return Answer(prediction=graph.add("Exp", flat(graph, _scores(graph, model, value))))


def _scores(graph: Graph, model: Any, value: Value) -> str:  # noqa: ANN401
    weights = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64)).T
    product = graph.add("MatMul", graph.numbers(value, type(model).__name__), graph.constant(weights))
    return graph.add("Add", product, graph.constant(np.atleast_1d(model.intercept_)))
