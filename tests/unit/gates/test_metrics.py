"""Every figure is scikit-learn's, and its standard error that of a bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from tidegate.signature import Task
from tidegate_gates.classification import area_under_curve
from tidegate_gates.estimate import Estimate, Undefined
from tidegate_gates.metrics import METRICS, Choices, Evaluated, find_metric

ROWS = 400


def draw(task: Task, seed: int, *, ties: bool = False, rows: int = ROWS) -> Evaluated:
    """Rows that a model answers with some sense."""
    chance = np.random.default_rng(seed)
    if task is Task.REGRESSION:
        labels = chance.normal(size=rows)
        return Evaluated(task, labels, labels + chance.normal(scale=0.5, size=rows), Choices(quantile=0.9))
    classes = 2 if task is Task.BINARY else 4
    labels = chance.integers(classes, size=rows)
    scores = chance.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[labels]
    if ties:
        scores = np.round(scores)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return Evaluated(task, labels, shares, Choices(threshold=0.4))


BY_SKLEARN = {
    ("accuracy", Task.BINARY): lambda r: sklearn.accuracy_score(r.labels, r.said),
    ("accuracy", Task.MULTICLASS): lambda r: sklearn.accuracy_score(r.labels, r.said),
    ("auc", Task.BINARY): lambda r: sklearn.roc_auc_score(r.labels, r.answers[:, 1]),
    ("logLoss", Task.BINARY): lambda r: sklearn.log_loss(r.labels, r.answers),
    ("logLoss", Task.MULTICLASS): lambda r: sklearn.log_loss(r.labels, r.answers),
    ("brier", Task.BINARY): lambda r: sklearn.brier_score_loss(r.labels, r.answers[:, 1]),
    ("precision", Task.BINARY): lambda r: sklearn.precision_score(r.labels, r.said),
    ("precision", Task.MULTICLASS): lambda r: sklearn.precision_score(r.labels, r.said, average="macro"),
    ("recall", Task.BINARY): lambda r: sklearn.recall_score(r.labels, r.said),
    ("recall", Task.MULTICLASS): lambda r: sklearn.recall_score(r.labels, r.said, average="macro"),
    ("f1", Task.BINARY): lambda r: sklearn.f1_score(r.labels, r.said),
    ("f1", Task.MULTICLASS): lambda r: sklearn.f1_score(r.labels, r.said, average="macro"),
    ("rmse", Task.REGRESSION): lambda r: sklearn.root_mean_squared_error(r.labels, r.answers),
    ("mae", Task.REGRESSION): lambda r: sklearn.mean_absolute_error(r.labels, r.answers),
    ("r2", Task.REGRESSION): lambda r: sklearn.r2_score(r.labels, r.answers),
    ("quantileLoss", Task.REGRESSION): lambda r: sklearn.mean_pinball_loss(r.labels, r.answers, alpha=0.9),
}
ALL = [(name, task) for name, metric in METRICS.items() for task in sorted(metric.tasks)]


def measure(name: str, rows: Evaluated) -> Estimate:
    estimate = METRICS[name].measure(rows)
    assert isinstance(estimate, Estimate)
    return estimate


@pytest.mark.parametrize(("name", "task"), BY_SKLEARN)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_figure_is_that_of_scikit_learn(name, task, ties, seed):
    rows = draw(task, seed, ties=ties)
    assert measure(name, rows).value == pytest.approx(BY_SKLEARN[name, task](rows), abs=1e-12)


def resample(name: str, rows: Evaluated) -> float:
    """The spread of a figure over 3,000 resamples, which give it to within about 1.3 %."""
    picked = np.random.default_rng(2).integers(ROWS, size=(3000, ROWS))
    drawn = [Evaluated(rows.task, rows.labels[one], rows.answers[one], rows.choices) for one in picked]
    return float(np.std([measure(name, one).value for one in drawn]))


@pytest.mark.parametrize(("name", "task"), [one for one in ALL if one[0] != "calibrationError"])
def test_a_standard_error_is_that_of_a_bootstrap(name, task):
    """But for what 400 rows differ from infinitely many."""
    rows = draw(task, 1)
    assert measure(name, rows).standard_error == pytest.approx(resample(name, rows), rel=0.12)


@pytest.mark.parametrize("task", sorted(METRICS["calibrationError"].tasks))
def test_the_standard_error_of_the_calibration_error_is_rather_too_large(task):
    """Its bins are distances: where they are nearly none, noise can only make them larger, and varies less."""
    rows = draw(task, 1)
    spread = resample("calibrationError", rows)
    assert spread < measure("calibrationError", rows).standard_error < 1.5 * spread


@pytest.mark.parametrize(("name", "task"), ALL)
def test_influences_add_up_to_nothing(name, task):
    assert measure(name, draw(task, 3)).influence.mean() == pytest.approx(0, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40))
def test_the_area_under_the_curve_is_the_share_of_pairs_in_the_right_order(rows):
    labels = np.array([int(label) for label, _ in rows])
    scores = np.array([float(score) for _, score in rows])
    found = area_under_curve(labels, scores)
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[labels == 1] for n in scores[labels == 0]]
    if not pairs:
        assert found == Undefined("all rows have the same label")
    else:
        assert isinstance(found, Estimate)
        assert found.value == pytest.approx(np.mean(pairs))


def test_calibration_is_measured_in_bins_of_equally_many_rows():
    """Where one in a hundred is positive, bins of equal width would hold nearly all rows in one."""
    shares = np.full(1000, 0.01)
    labels = np.zeros(1000, dtype=int)
    labels[:110] = 1
    rows = Evaluated(Task.BINARY, labels, np.column_stack([1 - shares, shares]))
    assert measure("calibrationError", rows).value == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("name", "labels", "answers", "reason"),
    [
        ("auc", [1, 1, 1], [0.2, 0.6, 0.9], "all rows have the same label"),
        ("recall", [0, 0, 0], [0.2, 0.6, 0.9], "no row is positive, or is called so"),
        ("precision", [0, 1, 0], [0.2, 0.3, 0.4], "no row is positive, or is called so"),
    ],
)
def test_a_figure_that_the_rows_do_not_have_is_told_and_never_guessed(name, labels, answers, reason):
    shares = np.column_stack([1 - np.array(answers), answers])
    assert METRICS[name].measure(Evaluated(Task.BINARY, np.array(labels), shares)) == Undefined(reason)


def test_no_share_is_explained_where_all_labels_are_the_same():
    rows = Evaluated(Task.REGRESSION, np.ones(5), np.arange(5.0))
    assert METRICS["r2"].measure(rows) == Undefined("all rows have the same label")


def test_a_metric_that_there_is_not_is_refused_with_those_that_there_are():
    assert find_metric("acuracy", Task.REGRESSION) == (
        "'acuracy' is no metric; write one of mae, quantileLoss, r2, rmse"
    )
    assert find_metric("auc", Task.REGRESSION) == (
        "'auc' is none of a regression model; write one of mae, quantileLoss, r2, rmse"
    )
