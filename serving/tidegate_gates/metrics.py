"""The metrics that a gate may ask for, by the name that users write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tidegate.signature import Task
from tidegate_gates import classification, regression
from tidegate_gates.estimate import Estimate, Floats, Undefined


@dataclass(frozen=True, slots=True)
class Choices:
    """What a metric needs to be told beside the rows."""

    threshold: float = 0.5
    """A binary model calls a row positive from this probability on. Default: 0.5, as scikit-learn's `predict`."""
    quantile: float = 0.5
    """Which quantile a regression's answer is meant to be. Default: 0.5, the median."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Rows with their labels, and what one model answered to them."""

    task: Task
    labels: NDArray[np.int64] | Floats
    """Of a classifier the index of the right class, of a regression the number that came."""
    answers: Floats
    """Of a classifier a probability a class, of a regression one number a row."""
    choices: Choices = Choices()

    def only(self, rows: NDArray[np.bool_]) -> Evaluated:
        """Some of the rows."""
        return Evaluated(self.task, self.labels[rows], self.answers[rows], self.choices)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.answers.shape[1])

    @property
    def indices(self) -> NDArray[np.int64]:
        """The right classes."""
        return np.asarray(self.labels, dtype=np.int64)

    @property
    def said(self) -> NDArray[np.int64]:
        """The class that the model calls each row."""
        if self.task is Task.BINARY:
            return np.asarray(self.answers[:, 1] >= self.choices.threshold, dtype=np.int64)
        return np.asarray(np.argmax(self.answers, axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: what it is of, which way is better, and what harm matters where the user does not say."""

    measure: Callable[[Evaluated], Estimate | Undefined]
    tasks: frozenset[Task]
    higher_is_better: bool = False
    tolerance: float = 0.02
    """Harm that is accepted, unless the user says otherwise."""
    detect: float = 0.1
    """Harm that must not pass."""
    of_stable: bool = True
    """Whether these two are shares of stable's own figure: what is much of a loss, only the loss itself says."""
    comparable: bool = True
    """Whether two models can be compared by it."""


_CLASSIFIERS: Final = frozenset({Task.BINARY, Task.MULTICLASS})
_BINARY: Final = frozenset({Task.BINARY})
_REGRESSIONS: Final = frozenset({Task.REGRESSION})
# Half a point is less than what two trainings on the same data differ by; three points are what a careless change of
# features costs. Two thousand rows, of which the two models answer one in ten otherwise, tell them apart.
_TOLERANCE, _DETECT = 0.005, 0.03


def _measure_calibration(rows: Evaluated) -> Estimate:
    if rows.task is Task.BINARY:
        return classification.calibration_error(rows.indices.astype(float), rows.answers[:, 1])
    right = (rows.said == rows.indices).astype(float)
    return classification.calibration_error(right, rows.answers.max(axis=1))


METRICS: Final[Mapping[str, Metric]] = {
    "accuracy": Metric(
        lambda rows: classification.accuracy(rows.indices, rows.said),
        _CLASSIFIERS,
        higher_is_better=True,
        tolerance=_TOLERANCE,
        detect=_DETECT,
        of_stable=False,
    ),
    "auc": Metric(
        lambda rows: classification.area_under_curve(rows.indices, rows.answers[:, 1]),
        _BINARY,
        higher_is_better=True,
        tolerance=_TOLERANCE,
        detect=_DETECT,
        of_stable=False,
    ),
    "precision": Metric(
        lambda rows: classification.precision(rows.indices, rows.said, rows.classes),
        _CLASSIFIERS,
        higher_is_better=True,
        # A ratio over few rows: of 2,000 rows only those that are called positive count.
        tolerance=0.02,
        detect=0.1,
        of_stable=False,
    ),
    "recall": Metric(
        lambda rows: classification.recall(rows.indices, rows.said, rows.classes),
        _CLASSIFIERS,
        higher_is_better=True,
        tolerance=0.02,
        detect=0.1,
        of_stable=False,
    ),
    "f1": Metric(
        lambda rows: classification.f1(rows.indices, rows.said, rows.classes),
        _CLASSIFIERS,
        higher_is_better=True,
        tolerance=0.02,
        detect=0.1,
        of_stable=False,
    ),
    "logLoss": Metric(
        lambda rows: classification.log_loss(rows.indices, rows.answers),
        _CLASSIFIERS,
    ),
    "brier": Metric(
        lambda rows: classification.brier(rows.indices, rows.answers),
        _CLASSIFIERS,
    ),
    "calibrationError": Metric(_measure_calibration, _CLASSIFIERS, comparable=False),
    "rmse": Metric(
        lambda rows: regression.root_mean_squared_error(rows.labels.astype(float), rows.answers), _REGRESSIONS
    ),
    "mae": Metric(
        lambda rows: regression.mean_absolute_error(rows.labels.astype(float), rows.answers), _REGRESSIONS
    ),
    "r2": Metric(
        lambda rows: regression.share_explained(rows.labels.astype(float), rows.answers),
        _REGRESSIONS,
        higher_is_better=True,
        tolerance=0.01,
        detect=0.05,
        of_stable=False,
    ),
    "quantileLoss": Metric(
        lambda rows: regression.quantile_loss(rows.labels.astype(float), rows.answers, rows.choices.quantile),
        _REGRESSIONS,
    ),
}


def find_metric(name: str, task: Task) -> Metric | str:
    """The metric of a name, or one sentence that says which there are for this task."""
    metric = METRICS.get(name)
    if metric and task in metric.tasks:
        return metric
    known = ", ".join(sorted(each for each, one in METRICS.items() if task in one.tasks))
    why = f"is none of a {task} model" if metric else "is no metric"
    return f"'{name}' {why}; write one of {known}"
