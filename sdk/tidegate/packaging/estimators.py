"""Fitted models as ONNX: finds the converter of each, inside pipelines too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tidegate.packaging.answers import Answer, flat
from tidegate.packaging.graph import Graph, Value
from tidegate.packaging.hist_gradient_boosting import convert_hist_gradient_boosting
from tidegate.packaging.lightgbm_model import convert_lightgbm
from tidegate.packaging.linear import (
    convert_linear_regression,
    convert_log_linear_regression,
    convert_logistic_regression,
)
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.skl2onnx_step import splice
from tidegate.packaging.sklearn_trees import convert_forest, convert_gradient_boosting, convert_tree
from tidegate.packaging.transformers import convert_transformer
from tidegate.packaging.xgboost_model import convert_xgboost

Converter = Callable[[Graph, Any, Value], Answer]


def convert_estimator(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401 - any fitted model
    """Adds the nodes of a fitted model; what we have no converter for goes through skl2onnx.

    Raises:
        PackagingRefusedError: A step can't be converted; the message names it and a way out.
    """
    name = type(model).__name__
    if name == "Pipeline":
        for _, step in model.steps[:-1]:
            value = convert_transformer(graph, step, value)
        return convert_estimator(graph, model.steps[-1][1], value)
    if name in _SEARCHES:
        return convert_estimator(graph, model.best_estimator_, value)
    # By the classes that it extends, too; should one change the answers, the comparison will say so.
    known = (_CONVERTERS[base.__name__] for base in type(model).__mro__ if base.__name__ in _CONVERTERS)
    return next(known, _convert_by_skl2onnx)(graph, model, value)


def _convert_voting(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """The weighted mean of the models' answers."""
    classifier = hasattr(model, "classes_")
    if classifier and model.voting != "soft":
        raise PackagingRefusedError(
            "VotingClassifier(voting='hard') gives no probabilities; use voting='soft'"
        )
    weights = model._weights_not_none or [1.0] * len(model.estimators_)  # noqa: SLF001
    terms = []
    for inner, weight in zip(model.estimators_, weights, strict=True):
        answer = convert_estimator(graph, inner, value)
        doubles = graph.to_float64(answer.probabilities or answer.prediction)
        terms.append(graph.add("Mul", doubles, graph.constant(weight / sum(weights))))
    mean = graph.add("Sum", *terms)
    return Answer(probabilities=mean) if classifier else Answer(prediction=mean)


def _convert_transformed_target(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """A regression of a function of the target, and the way back."""
    inner = flat(graph, convert_estimator(graph, model.regressor_, value).prediction)
    name = getattr(
        getattr(model.transformer_, "inverse_func", None), "__name__", type(model.transformer_).__name__
    )
    if name not in {"exp", "expm1", "square"}:
        raise PackagingRefusedError(
            f"TransformedTargetRegressor with inverse {name} can't be converted; use numpy's exp, expm1 or square"
        )
    if name == "square":
        return Answer(prediction=graph.add("Mul", inner, inner))
    raised = graph.add("Exp", inner)
    return Answer(prediction=graph.add("Sub", raised, graph.constant([1.0])) if name == "expm1" else raised)


def _convert_by_skl2onnx(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    outputs = splice(graph, model, value)
    if hasattr(model, "predict_proba"):
        return Answer(label=outputs[0], probabilities=outputs[1])
    return Answer(prediction=flat(graph, outputs[0]))


_SEARCHES: Final = {"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"}
_CONVERTERS: Final[dict[str, Converter]] = {
    "LogisticRegression": convert_logistic_regression,
    "LogisticRegressionCV": convert_logistic_regression,
    **dict.fromkeys(
        (
            "LinearRegression",
            "Ridge",
            "RidgeCV",
            "Lasso",
            "LassoCV",
            "ElasticNet",
            "ElasticNetCV",
            "HuberRegressor",
            "SGDRegressor",
            "LinearSVR",
        ),
        convert_linear_regression,
    ),
    "PoissonRegressor": convert_log_linear_regression,
    "GammaRegressor": convert_log_linear_regression,
    "DecisionTreeClassifier": convert_tree,
    "DecisionTreeRegressor": convert_tree,
    "ExtraTreeClassifier": convert_tree,
    "ExtraTreeRegressor": convert_tree,
    "RandomForestClassifier": convert_forest,
    "RandomForestRegressor": convert_forest,
    "ExtraTreesClassifier": convert_forest,
    "ExtraTreesRegressor": convert_forest,
    "GradientBoostingClassifier": convert_gradient_boosting,
    "GradientBoostingRegressor": convert_gradient_boosting,
    "HistGradientBoostingClassifier": convert_hist_gradient_boosting,
    "HistGradientBoostingRegressor": convert_hist_gradient_boosting,
    "XGBClassifier": convert_xgboost,
    "XGBRegressor": convert_xgboost,
    "XGBRFClassifier": convert_xgboost,
    "XGBRFRegressor": convert_xgboost,
    "TransformedTargetRegressor": _convert_transformed_target,
    "VotingClassifier": _convert_voting,
    "VotingRegressor": _convert_voting,
    "LightGBMClassifier": convert_lightgbm,  # bare boosters
    "LightGBMRegressor": convert_lightgbm,
    "LGBMClassifier": convert_lightgbm,
    "LGBMRegressor": convert_lightgbm,
}
