"""Native and ONNX answers side by side: how far they differ, and in which row most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidegate.packaging.answers import LABEL, PREDICTION, PROBABILITIES
from tidegate.packaging.native import Answers


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference over a sample."""

    largest: float
    row: int
    native: str
    onnx: str


def compare_answers(native: Answers, converted: Answers, *, tolerance: float) -> Difference:
    """Gives the worst row.

    Probabilities differ by their largest absolute difference; regressions by |a - b| / max(1, |a|), so that one
    tolerance fits prices and shares alike. A label that differs counts as a difference of 1, unless its
    probability and that of the native label are as close together as the tolerance allows.
    """
    if PREDICTION in native:
        wanted, got = native[PREDICTION], converted[PREDICTION]
        distances = np.abs(wanted - got) / np.maximum(1.0, np.abs(wanted))
    else:
        wanted, got = native[PROBABILITIES], converted[PROBABILITIES]
        if wanted.shape != got.shape:
            return Difference(np.inf, 0, f"shape {wanted.shape}", f"shape {got.shape}")
        distances = np.abs(wanted - got).max(axis=1)
        ordered = np.sort(wanted, axis=1)
        tied = ordered[:, -1] - ordered[:, -2] <= 2 * tolerance
        labels = np.array([str(a) != str(b) for a, b in zip(native[LABEL], converted[LABEL], strict=True)])
        distances = np.where(labels & ~tied, np.maximum(distances, 1.0), distances)
    # A NaN on one side only is the worst there is; np.argmax would find it, but not say that it is larger.
    distances = np.where(np.isnan(distances), np.inf, distances)
    worst = int(np.argmax(distances))
    return Difference(float(distances[worst]), worst, _shown(native, worst), _shown(converted, worst))


def _shown(answers: Answers, row: int) -> str:
    if PREDICTION in answers:
        return f"{answers[PREDICTION][row]:.8g}"
    shares = ", ".join(f"{share:.6f}" for share in answers[PROBABILITIES][row][:5])
    return f"{answers[LABEL][row]} [{shares}]"
