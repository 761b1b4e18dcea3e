"""The model that all serve, and the requests that all get."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier

from tidegate import package

FEATURES, TREES, DEPTH = 30, 200, 4


@dataclass(frozen=True, slots=True)
class Request:
    """A body, and a number that its answer must hold: the last row's probability of the second class."""

    body: Path
    wanted: float


def build_bundle(folder: Path) -> pd.DataFrame:
    """Trains and packages the model; gives the rows that it was trained with."""
    chance = np.random.default_rng(7)
    names = [f"f{place}" for place in range(FEATURES)]
    frame = pd.DataFrame(chance.normal(size=(2000, FEATURES)), columns=names)
    target = (frame.sum(axis=1) + chance.normal(size=2000) > 0).astype(int)
    model = GradientBoostingClassifier(n_estimators=TREES, max_depth=DEPTH, random_state=7)
    package(model.fit(frame, target), frame, name="bench", folder=folder)
    return frame


def write_requests(folder: Path, bundle: Path, frame: pd.DataFrame, *, rows: int) -> dict[str, Request]:
    """Writes the same rows in each form; gives the requests by form."""
    values = frame.iloc[:rows].to_numpy()
    session = onnxruntime.InferenceSession(str(bundle / "model.onnx"))
    wanted = float(session.run(None, {"numbers": values})[1][-1, 1])
    tensor = {
        "name": "numbers",
        "shape": [rows, FEATURES],
        "datatype": "FP64",
        "data": values.ravel().tolist(),
    }
    requests = {}
    for form, content in (("v2", {"inputs": [tensor]}), ("rows", {"instances": values.tolist()})):
        path = folder / f"{form}-{rows}.json"
        path.write_text(json.dumps(content))
        requests[form] = Request(path, wanted)
    return requests


def require_right(answer: bytes, request: Request) -> None:
    """Whoever answers fast must also answer right.

    Raises:
        SystemExit: The probability is not in the answer.
    """
    if not any(abs(number - request.wanted) < 1e-6 for number in _numbers(json.loads(answer))):
        raise SystemExit(f"the probability {request.wanted} is not in the answer {answer[:300]!r}")


def _numbers(content: object) -> list[float]:
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        return [number for one in content for number in _numbers(one)]
    return [content] if isinstance(content, int | float) else []
