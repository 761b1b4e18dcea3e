"""Where the time of one row goes, against ONNX Runtime alone: CPU microseconds, least of many rounds."""

from __future__ import annotations

import os
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tidegate_serving.model import Model
from tidegate_serving.prediction_id import new_prediction_id
from tidegate_serving.predictor import Prediction, Predictor, Question
from tidegate_serving.tallies import RequestTallies, RowTallies

TOGETHER = 16


def dissect(bundle: Path, body: Path, *, core: int) -> dict[str, float]:
    """Gives the microseconds a row of each part, without a network."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return _dissect(Predictor(model := Model(bundle, threads=1), name="bench", revision="r"), model, body)
    finally:
        os.sched_setaffinity(0, before)


def _dissect(predictor: Predictor, model: Model, path: Path) -> dict[str, float]:
    body = path.read_bytes()
    question = Question(predictor.v2, body, new_prediction_id())
    prediction = predictor.predict(question)
    plain = predictor.v2.read_plain(body)
    assert plain is not None  # the benchmark's rows are plain
    request, feeds = plain
    many = {name: np.concatenate([tensor] * TOGETHER) for name, tensor in feeds.items()}
    answers = model.answer(feeds)
    questions = [question] * TOGETHER
    return {
        "ONNX Runtime, one row alone": _micros(lambda: model.run(feeds)),
        f"ONNX Runtime, {TOGETHER} rows together": _micros(lambda: model.run(many)) / TOGETHER,
        "JSON to tensor": _micros(lambda: predictor.v2.read_plain(body)),
        "answer to JSON": _micros(lambda: predictor.v2.respond(request, answers, question.prediction_id)),
        "prediction id": _micros(new_prediction_id),
        "counting": _counting(predictor, prediction),
        f"all of the above but counting, {TOGETHER} requests together": _micros(
            lambda: predictor.predict_together(questions)
        )
        / TOGETHER,
        "the same, one request alone": _micros(lambda: predictor.predict_together([question])),
    }


def _counting(predictor: Predictor, prediction: Prediction) -> float:
    rows, requests = RowTallies(predictor.bins), RequestTallies()

    def count() -> None:
        rows.note(prediction.feeds, prediction.values)
        requests.record("ok", 0.001)

    return _micros(count, number=5120)


def _micros(call: Callable[[], object], number: int = 1000) -> float:
    return min(timeit.repeat(call, timer=time.process_time, number=number, repeat=15)) / number * 1e6
