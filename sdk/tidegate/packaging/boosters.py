"""Bare boosters, as the training APIs of XGBoost and LightGBM give them, behind the interface of scikit-learn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_estimator(model: Any) -> Any:  # noqa: ANN401 - any fitted model
    """Gives a booster as an estimator; every other model as it is."""
    if type(model).__name__ != "Booster":
        return model
    if type(model).__module__.startswith("xgboost"):
        return _xgboost_estimator(model)
    return _lightgbm_estimator(model)


def _xgboost_estimator(booster: Any) -> Any:  # noqa: ANN401
    import xgboost  # noqa: PLC0415 - only who has a booster has it

    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    classifier = objective.startswith(("binary:", "multi:"))
    estimator = xgboost.XGBClassifier() if classifier else xgboost.XGBRegressor()
    estimator.load_model(booster.save_raw("ubj"))
    return estimator


def _lightgbm_estimator(booster: Any) -> Any:  # noqa: ANN401
    objective = booster.dump_model(num_iteration=1)["objective"].split()[0]
    if objective == "binary":
        return LightGBMClassifier(booster, 2)
    if objective.startswith("multiclass"):
        return LightGBMClassifier(booster, booster.num_model_per_iteration())
    return LightGBMRegressor(booster)


class LightGBMRegressor:
    """Predictions of a LightGBM booster."""

    def __init__(self, booster: Any) -> None:  # noqa: ANN401
        self.booster_ = booster
        self.feature_names_in_ = np.asarray(booster.feature_name())

    def predict(self, rows: Any) -> NDArray[Any]:  # noqa: ANN401
        """Gives the booster's predictions."""
        return np.asarray(self.booster_.predict(rows))


class LightGBMClassifier(LightGBMRegressor):
    """Classes 0, 1, … of a LightGBM booster."""

    def __init__(self, booster: Any, classes: int) -> None:  # noqa: ANN401
        super().__init__(booster)
        self.classes_ = np.arange(classes)

    def predict_proba(self, rows: Any) -> NDArray[Any]:  # noqa: ANN401
        """Gives [rows, classes]; the booster itself gives the positive class alone where there are two."""
        answers = super().predict(rows)
        return answers if answers.ndim == 2 else np.column_stack([1 - answers, answers])

    def predict(self, rows: Any) -> NDArray[Any]:  # noqa: ANN401
        """Gives the class of the largest probability."""
        return np.asarray(np.argmax(self.predict_proba(rows), axis=1))
