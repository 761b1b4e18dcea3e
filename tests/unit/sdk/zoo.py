"""Fitted models as users have them, small: columns of every kind, with missing values in each where they can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import LinearSVC

ROWS = 240
NUMBERS = ["age", "yearly income", "member"]
TEXTS = ["job", "city"]


@dataclass(frozen=True, slots=True)
class Case:
    """One fitted model with the sample that a user would give."""

    model: Any
    sample: pd.DataFrame


def people(*, missing: bool = True, categories: bool = False) -> pd.DataFrame:
    """People with ages (integers), incomes (numbers), flags and two texts."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": random.integers(17, 90, ROWS),
            "yearly income": random.normal(50_000, 20_000, ROWS),
            "member": random.random(ROWS) < 0.4,
            "job": random.choice(["clerk", "cook", "pilot", "smith"], ROWS, p=[0.5, 0.3, 0.15, 0.05]),
            "city": random.choice(["Bonn", "Köln", "Ulm"], ROWS),
        }
    )
    if missing:
        for name in ["yearly income", *TEXTS]:
            frame.loc[random.random(ROWS) < 0.1, name] = np.nan
    return frame.astype(dict.fromkeys(TEXTS, "category")) if categories else frame


def _scores(frame: pd.DataFrame) -> np.ndarray:
    income = frame["yearly income"].fillna(30_000) / 30_000
    return (frame["age"] / 40 + income + frame["member"] * 1.0 + (frame["job"] == "cook") * 2.0).to_numpy()


def two_classes(frame: pd.DataFrame) -> np.ndarray:
    return (_scores(frame) > np.median(_scores(frame))).astype(int)


def three_labels(frame: pd.DataFrame) -> np.ndarray:
    places = np.digitize(_scores(frame), np.quantile(_scores(frame), [0.3, 0.7]))
    return np.array(["low", "middle", "high"])[places]


def three_numbers(frame: pd.DataFrame) -> np.ndarray:
    return np.unique(three_labels(frame), return_inverse=True)[1]


def prices(frame: pd.DataFrame) -> np.ndarray:
    return _scores(frame) * 1e6


def small_counts(frame: pd.DataFrame) -> np.ndarray:
    return _scores(frame).round()


def preprocessing() -> Any:
    """Imputed and scaled numbers; strings with missing values, one filled, the other a category of its own."""
    filled = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (filled, ["job"]),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=75, drop="first"), ["city"]),
    )


def ordinal() -> Any:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return make_column_transformer((encoder, TEXTS), remainder="passthrough")


def pipeline(model: Any, steps: Callable[[], Any] = preprocessing) -> Pipeline:
    return make_pipeline(steps(), model)


_Make = Callable[[], tuple[Any, pd.DataFrame, Callable[[pd.DataFrame], np.ndarray]]]
_CATEGORIES = {"missing": True, "categories": True}


def _lightgbm(kind: Any, **options: Any) -> Any:
    # Small groups, so that sets of categories are split on, and not single ones only.
    return kind(n_estimators=8, verbose=-1, min_data_per_group=5, max_cat_to_onehot=1, n_jobs=1, **options)


def _xgboost(kind: Any, **options: Any) -> Any:
    return kind(n_estimators=8, max_depth=3, n_jobs=1, **options)


class _EarlyStopped(xgboost.XGBClassifier):
    """Stops on the rows that it was trained on, at the latest after 30 trees, of which some are then not used."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"n_estimators": 30, "early_stopping_rounds": 2, "learning_rate": 2.0} | options))

    def fit(self, rows: pd.DataFrame, target: np.ndarray) -> _EarlyStopped:
        return super().fit(rows[:120], target[:120], eval_set=[(rows[120:], target[120:])], verbose=False)


_XGB_SETS = {"enable_categorical": True, "max_cat_to_onehot": 1}

MODELS: dict[str, _Make] = {
    "logistic regression": lambda: (pipeline(LogisticRegression()), people(), two_classes),
    "logistic regression, three labels": lambda: (pipeline(LogisticRegression()), people(), three_labels),
    "random forest": lambda: (pipeline(RandomForestClassifier(9)), people(), two_classes),
    "random forest, three labels": lambda: (pipeline(RandomForestClassifier(9)), people(), three_labels),
    "random forest that takes missing numbers itself": lambda: (
        RandomForestClassifier(9),
        people()[NUMBERS],
        two_classes,
    ),
    "extra trees": lambda: (pipeline(ExtraTreesClassifier(9)), people(), two_classes),
    "gradient boosting": lambda: (
        pipeline(GradientBoostingClassifier(n_estimators=8)),
        people(),
        two_classes,
    ),
    "gradient boosting, three labels": lambda: (
        pipeline(GradientBoostingClassifier(n_estimators=8)),
        people(),
        three_labels,
    ),
    "hist gradient boosting behind an ordinal encoder": lambda: (
        pipeline(HistGradientBoostingClassifier(max_iter=8), ordinal),
        people(),
        two_classes,
    ),
    "hist gradient boosting on categories": lambda: (
        HistGradientBoostingClassifier(max_iter=8),
        people(**_CATEGORIES),
        two_classes,
    ),
    "hist gradient boosting on categories, three labels": lambda: (
        HistGradientBoostingClassifier(max_iter=8),
        people(**_CATEGORIES),
        three_labels,
    ),
    "XGBoost with named columns": lambda: (_xgboost(xgboost.XGBClassifier), people()[NUMBERS], two_classes),
    "XGBoost, three classes": lambda: (_xgboost(xgboost.XGBClassifier), people()[NUMBERS], three_numbers),
    "XGBoost on categories": lambda: (
        _xgboost(xgboost.XGBClassifier, **_XGB_SETS),
        people(**_CATEGORIES),
        two_classes,
    ),
    "XGBoost behind preprocessing": lambda: (
        pipeline(_xgboost(xgboost.XGBClassifier)),
        people(),
        two_classes,
    ),
    "LightGBM on categories": lambda: (
        _lightgbm(lightgbm.LGBMClassifier),
        people(**_CATEGORIES),
        two_classes,
    ),
    "LightGBM on categories, three labels": lambda: (
        _lightgbm(lightgbm.LGBMClassifier),
        people(**_CATEGORIES),
        three_labels,
    ),
    "LightGBM, one label against the rest": lambda: (
        _lightgbm(lightgbm.LGBMClassifier, objective="multiclassova"),
        people(**_CATEGORIES),
        three_labels,
    ),
    "categories that are numbers": lambda: (
        HistGradientBoostingClassifier(max_iter=8),
        people()[["age"]].assign(code=pd.Categorical(people()["age"] % 5)),
        two_classes,
    ),
    "flags for missing values": lambda: (
        make_pipeline(SimpleImputer(add_indicator=True), RandomForestClassifier(9)),
        people()[NUMBERS],
        two_classes,
    ),
    "a regression of the logarithm": lambda: (
        TransformedTargetRegressor(pipeline(Ridge()), func=np.log1p, inverse_func=np.expm1),
        people(),
        prices,
    ),
    "XGBoost that stopped early": lambda: (_EarlyStopped(), people()[NUMBERS], two_classes),
    "voting": lambda: (
        pipeline(
            VotingClassifier(
                [("a", LogisticRegression()), ("b", HistGradientBoostingClassifier(max_iter=4))],
                voting="soft",
                weights=[1, 2],
            )
        ),
        people(),
        three_labels,
    ),
    "neural network by skl2onnx": lambda: (
        pipeline(MLPClassifier((8,), max_iter=400, tol=1e-2)),
        people(),
        three_labels,
    ),
    "calibrated SVM by skl2onnx": lambda: (
        pipeline(CalibratedClassifierCV(LinearSVC(), cv=2)),
        people(),
        two_classes,
    ),
    "polynomials by skl2onnx": lambda: (
        make_pipeline(SimpleImputer(), PolynomialFeatures(2), StandardScaler(), LogisticRegression()),
        people()[NUMBERS],
        two_classes,
    ),
    "target encoder and other scalers": lambda: (
        make_pipeline(
            make_column_transformer(
                (make_pipeline(SimpleImputer(strategy="median"), RobustScaler(), MinMaxScaler()), NUMBERS),
                (TargetEncoder(cv=2), TEXTS),
            ),
            LogisticRegression(),
        ),
        people(),
        two_classes,
    ),
    "ridge regression": lambda: (pipeline(Ridge()), people(), prices),
    "Poisson regression": lambda: (pipeline(PoissonRegressor()), people(), small_counts),
    "random forest regression": lambda: (pipeline(RandomForestRegressor(9)), people(), prices),
    "gradient boosting regression": lambda: (
        pipeline(GradientBoostingRegressor(n_estimators=8)),
        people(),
        prices,
    ),
    "hist gradient boosting regression": lambda: (
        HistGradientBoostingRegressor(max_iter=8),
        people(**_CATEGORIES),
        prices,
    ),
    "hist gradient boosting counts": lambda: (
        HistGradientBoostingRegressor(max_iter=8, loss="poisson"),
        people(**_CATEGORIES),
        small_counts,
    ),
    "XGBoost regression": lambda: (_xgboost(xgboost.XGBRegressor), people()[NUMBERS], prices),
    "XGBoost counts": lambda: (
        _xgboost(xgboost.XGBRegressor, objective="count:poisson"),
        people()[NUMBERS],
        small_counts,
    ),
    "LightGBM regression": lambda: (_lightgbm(lightgbm.LGBMRegressor), people(**_CATEGORIES), prices),
    "LightGBM counts": lambda: (
        _lightgbm(lightgbm.LGBMRegressor, objective="tweedie"),
        people(**_CATEGORIES),
        small_counts,
    ),
}


def fitted(name: str) -> Case:
    """Fits one model of the zoo on its sample."""
    model, sample, target = MODELS[name]()
    return Case(model.fit(sample, target(people())), sample)
