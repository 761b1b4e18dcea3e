"""Fitted preprocessing steps of scikit-learn as ONNX nodes, in double precision and with missing values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from onnx import TensorProto
from sklearn.utils import check_array

from tidegate.packaging.encoders import (
    convert_one_hot_encoder,
    convert_ordinal_encoder,
    convert_target_encoder,
)
from tidegate.packaging.graph import MISSING_STRING, Graph, Part, Value
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.skl2onnx_step import convert_transformer_by_skl2onnx

Converter = Callable[[Graph, Any, Value], Value]


def convert_transformer(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401 - any estimator
    """Adds the nodes of one fitted step; what we have no converter for goes through skl2onnx."""
    if step is None or step == "passthrough":
        return value
    converter = _CONVERTERS.get(type(step).__name__)
    return (converter or convert_transformer_by_skl2onnx)(graph, step, value)


def _convert_pipeline(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    for _, inner in step.steps:
        value = convert_transformer(graph, inner, value)
    return value


def _convert_column_transformer(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    parts: list[Part] = []
    for name, inner, _ in step.transformers_:
        # scikit-learn resolves names, masks, slices and callables at fit; what it resolved them to is kept here.
        indices = list(step._transformer_to_input_indices.get(name, ()))  # noqa: SLF001
        if inner == "drop" or not indices:
            continue
        weight = (step.transformer_weights or {}).get(name)
        converted = convert_transformer(graph, inner, graph.select(value, indices))
        parts.extend(converted if weight is None else _scaled(graph, converted, weight, name))
    return tuple(parts)


def _convert_feature_union(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    parts: list[Part] = []
    for name, inner in step.transformer_list:
        if inner == "drop":
            continue
        weight = (step.transformer_weights or {}).get(name)
        converted = convert_transformer(graph, inner, value)
        parts.extend(converted if weight is None else _scaled(graph, converted, weight, name))
    return tuple(parts)


def _scaled(graph: Graph, value: Value, weight: float, name: str) -> Value:
    tensor = graph.add("Mul", graph.numbers(value, name), graph.constant([weight]))
    return (Part(tensor, sum(part.width for part in value)),)


def _convert_simple_imputer(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    imputed = tuple(
        _imputed(graph, part, statistic, step.missing_values)
        for part, statistic in zip(graph.columns(value), step.statistics_, strict=True)
        if step.keep_empty_features or not _is_missing(statistic)
    )
    indicators = _convert_missing_indicator(graph, step.indicator_, value) if step.add_indicator else ()
    return (*_joined(graph, imputed), *indicators)


def _imputed(graph: Graph, column: Part, statistic: Any, missing_values: Any) -> Part:  # noqa: ANN401
    if column.text:
        missing = MISSING_STRING if _is_missing(missing_values) else str(missing_values)
        absent = graph.add(
            "LabelEncoder",
            column.tensor,
            domain="ai.onnx.ml",
            keys_strings=[missing],
            values_int64s=[1],
            default_int64=0,
        )
        absent = graph.add("Cast", absent, to=TensorProto.BOOL)
        fill = graph.constant([[str(statistic)]], np.object_)
    else:
        absent = (
            graph.add("IsNaN", column.tensor)
            if _is_missing(missing_values)
            else graph.add("Equal", column.tensor, graph.constant([[missing_values]]))
        )
        fill = graph.constant([[0.0 if _is_missing(statistic) else float(statistic)]])
    return Part(graph.add("Where", absent, fill, column.tensor), 1, text=column.text)


def _convert_missing_indicator(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    columns = [graph.columns(value)[index] for index in step.features_]
    if any(column.text for column in columns) or not _is_missing(step.missing_values):
        raise PackagingRefusedError(
            "MissingIndicator can be converted for NaN in numbers only; let the encoder of text columns have a "
            "category for missing values"
        )
    flags = tuple(Part(graph.to_float64(graph.add("IsNaN", column.tensor)), 1) for column in columns)
    return _joined(graph, flags)


def _joined(graph: Graph, columns: Value) -> Value:
    """Joins neighbours of one kind again, so that the next step is one node and not one a column."""
    if not columns or len({column.text for column in columns}) > 1:
        return columns
    tensor = (
        columns[0].tensor
        if len(columns) == 1
        else graph.add("Concat", *(column.tensor for column in columns), axis=1)
    )
    return (Part(tensor, len(columns), text=columns[0].text),)


def _affine(offset: str, scale: str) -> Converter:
    """Makes the converter of (x - offset) / scale; either may be switched off, and then is None."""

    def convert(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
        tensor = graph.numbers(value, type(step).__name__)
        if offset and getattr(step, offset, None) is not None:
            tensor = graph.add("Sub", tensor, graph.constant(getattr(step, offset)))
        if getattr(step, scale, None) is not None:
            tensor = graph.add("Div", tensor, graph.constant(getattr(step, scale)))
        return (Part(tensor, sum(part.width for part in value)),)

    return convert


def _convert_standard_scaler(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    # mean_ is also there when with_mean is off.
    return _affine("mean_" if step.with_mean else "", "scale_")(graph, step, value)


def _convert_min_max_scaler(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    tensor = graph.add("Mul", graph.numbers(value, "MinMaxScaler"), graph.constant(step.scale_))
    tensor = graph.add("Add", tensor, graph.constant(step.min_))
    if step.clip:
        low, high = step.feature_range
        tensor = graph.add("Clip", tensor, graph.constant(low), graph.constant(high))
    return (Part(tensor, sum(part.width for part in value)),)


def _convert_function(graph: Graph, step: Any, value: Value) -> Value:  # noqa: ANN401
    name = getattr(step.func, "__name__", str(step.func))
    # HistGradientBoosting's own preprocessor checks its numbers by a partial of check_array.
    if step.func is None or getattr(step.func, "func", None) is check_array:
        return value
    if name not in _FUNCTIONS or step.kw_args:
        raise PackagingRefusedError(
            f"FunctionTransformer({name}) is Python code, which the predictor doesn't run; "
            f"use one of {', '.join(sorted(_FUNCTIONS))}, or do this step before the model"
        )
    tensor = graph.numbers(value, f"FunctionTransformer({name})")
    if name == "log1p":
        tensor = graph.add("Add", tensor, graph.constant([1.0]))
    return (Part(graph.add(_FUNCTIONS[name], tensor), sum(part.width for part in value)),)


def _is_missing(value: object) -> bool:
    return value is None or type(value).__name__ == "NAType" or bool(value != value)  # noqa: PLR0124 - NaN


_FUNCTIONS: Final = {"log1p": "Log", "log": "Log", "sqrt": "Sqrt", "exp": "Exp", "absolute": "Abs"}
_CONVERTERS: Final[dict[str, Converter]] = {
    "Pipeline": _convert_pipeline,
    "ColumnTransformer": _convert_column_transformer,
    "FeatureUnion": _convert_feature_union,
    "SimpleImputer": _convert_simple_imputer,
    "MissingIndicator": _convert_missing_indicator,
    "StandardScaler": _convert_standard_scaler,
    "RobustScaler": _affine("center_", "scale_"),
    "MaxAbsScaler": _affine("", "scale_"),
    "MinMaxScaler": _convert_min_max_scaler,
    "FunctionTransformer": _convert_function,
    "OneHotEncoder": convert_one_hot_encoder,
    "OrdinalEncoder": convert_ordinal_encoder,
    "TargetEncoder": convert_target_encoder,
}
