"""The native model: what it answers, what that means, and which missing values it was built to answer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tidegate.packaging.answers import LABEL, PREDICTION, PROBABILITIES, Meaning, meaning_of_classes
from tidegate.packaging.boosters import as_estimator
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.sample import Sample
from tidegate.signature import Feature, Task

Answers = dict[str, NDArray[Any]]
"""By output name, one entry a row."""

_IMPUTERS: Final = {"SimpleImputer", "KNNImputer", "IterativeImputer"}
PROBE_ROWS: Final = 16
"""Rows in which a feature is made missing, to see whether the native model answers them."""


@dataclass(frozen=True, slots=True)
class NativeModel:
    """A fitted model behind one way of asking it."""

    model: Any
    meaning: Meaning
    feature_names: tuple[str, ...] | None = None
    labels: tuple[Any, ...] = ()
    """What the caller calls the model's classes; empty: as the model does."""

    def answer(self, sample: Sample) -> Answers:
        """Asks the model about every row."""
        rows = sample.native()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # about unseen categories and the like; the answers are what counts
            if self.meaning.task is Task.REGRESSION:
                predictions = np.asarray(self.model.predict(rows), dtype=np.float64)
                return {PREDICTION: _one_a_row(predictions, type(self.model).__name__)}
            probabilities = np.asarray(self.model.predict_proba(rows), dtype=np.float64)
            labels = np.asarray(self.model.predict(rows)).reshape(-1)
            if self.labels:
                named = dict(zip(self.model.classes_, self.labels, strict=True))
                labels = np.array([named[label] for label in labels])
            labels = labels.astype(np.int64) if self.meaning.whole() else labels.astype(str).astype(object)
            return {LABEL: labels, PROBABILITIES: probabilities}

    def answers_missing(self, sample: Sample, feature: Feature) -> bool:
        """Whether the model answers rows in which the feature is missing."""
        try:
            answers = self.answer(with_missing(sample, [feature.name]))
        except Exception:  # noqa: BLE001 - any refusal of any library means that it does not
            return False
        numbers = answers.get(PROBABILITIES, answers.get(PREDICTION))
        return numbers is not None and bool(np.isfinite(numbers).all())


def _one_a_row(predictions: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    if predictions.ndim == 2 and predictions.shape[1] != 1:
        raise PackagingRefusedError(
            f"{name} answers {predictions.shape[1]} targets at once; train and package one model a target"
        )
    return predictions.reshape(-1)


def native_model(model: Any, labels: Sequence[Any] | None = None) -> NativeModel:  # noqa: ANN401 - any
    """Reads what a fitted model says about itself; `labels` names its classes, none as it does itself.

    Raises:
        PackagingRefusedError: It is not fitted, or answers neither probabilities nor one number.
    """
    name = type(model).__name__
    model = as_estimator(model)
    names = getattr(model, "feature_names_in_", None)
    feature_names = None if names is None else tuple(str(name) for name in names)
    if not hasattr(model, "predict"):
        raise PackagingRefusedError(
            f"{name} has no predict; give the fitted model, or a pipeline that ends in one"
        )
    if hasattr(model, "predict_proba"):
        classes = getattr(model, "classes_", None)
        if classes is None:
            raise PackagingRefusedError(f"{name} is not fitted; call fit first")
        if labels is not None and len(labels) != len(classes):
            raise PackagingRefusedError(
                f"labels names {len(labels)} classes, but {name} was trained on {len(classes)}: "
                f"{', '.join(str(label) for label in classes[:5])}"
            )
        meaning = meaning_of_classes(list(labels or classes))
        return NativeModel(model, meaning, feature_names, tuple(labels or ()))
    if hasattr(model, "classes_") or getattr(model, "_estimator_type", "") == "classifier":
        raise PackagingRefusedError(
            f"{name} gives labels without probabilities; wrap it in CalibratedClassifierCV and fit that"
        )
    return NativeModel(model, Meaning(Task.REGRESSION), feature_names)


def with_missing(sample: Sample, names: Iterable[str]) -> Sample:
    """Gives up to PROBE_ROWS rows of the sample in which these features are missing."""
    frame = sample.frame.iloc[:PROBE_ROWS].copy()
    for name in names:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_extension_array_dtype(
            column.dtype
        ):
            frame[name] = pd.Series([pd.NA] * len(frame), dtype=column.dtype, index=frame.index)
        elif column.dtype == object:
            # None or NaN, as the sample has it: SimpleImputer tells them apart.
            absent = sample.frame[name][sample.frame[name].isna()]
            marker = absent.iloc[0] if len(absent) else np.nan
            frame[name] = pd.Series([marker] * len(frame), dtype=object, index=frame.index)
        else:
            frame[name] = np.nan
    return sample.with_frame(frame)


def nullable_features(native: NativeModel, sample: Sample) -> frozenset[str]:
    """Gives the features that may be missing: the model answers such rows, and was built with them in mind.

    That it answers is not enough. HistGradientBoosting answers a NaN, and a OneHotEncoder that ignores unknown
    categories a null, where training never saw one; such an answer means nothing. So either the sample has missing
    values there, or the model has an imputer for them.
    """
    imputed = _imputed_columns(native.model, tuple(sample.frame.columns))
    intended = [
        feature
        for feature in sample.features
        if feature.name in imputed or bool(sample.frame[feature.name].isna().any())
    ]
    return frozenset(feature.name for feature in intended if native.answers_missing(sample, feature))


def _imputed_columns(step: Any, names: tuple[str, ...]) -> set[str]:  # noqa: ANN401
    if type(step).__name__ in _IMPUTERS:
        return set(names)
    for wrapped in ("best_estimator_", "regressor_"):
        if hasattr(step, wrapped):
            return _imputed_columns(getattr(step, wrapped), names)
    if hasattr(step, "transformers_"):
        found: set[str] = set()
        for name, inner, _ in step.transformers_:
            indices = step._transformer_to_input_indices.get(name, ())  # noqa: SLF001
            found |= _imputed_columns(inner, tuple(names[index] for index in indices))
        return found
    if hasattr(step, "steps"):
        # Only while columns are still the caller's: the first steps that pick or impute.
        return set().union(*(_imputed_columns(inner, names) for _, inner in step.steps[:1]))
    return set()
