"""Where the CPU time of one row goes, against ONNX Runtime alone: microseconds, least of many rounds."""

from __future__ import annotations

import os
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench.serving.processes import pin

from tidegate_serving.model import Model
from tidegate_serving.prediction_id import new_prediction_id
from tidegate_serving.predictor import Predictor, Question
from tidegate_serving.tallies import RequestTallies, RowTallies

TOGETHER = 16
ALONE = "ONNX Runtime, asked for one row"
WHOLE = f"a request at {TOGETHER} connections"
REST = "HTTP, sockets, admission and the event loop"


def dissect(bundle: Path, body: Path, *, core: int) -> dict[str, float]:
    """Gives the microseconds a row of each part of an answer, as if so many requests came together."""
    before = os.sched_getaffinity(0)
    pin(core)()
    try:
        model = Model(bundle, threads=1)
        return _dissect(Predictor(model, name="bench", revision="r"), model, body.read_bytes())
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


def with_rest(parts: dict[str, float], requests_per_cpu_second: float) -> dict[str, float]:
    """Adds a whole request as it was measured from outside, and what of it is in none of the parts."""
    whole = 1e6 / requests_per_cpu_second
    return parts | {REST: whole - sum(parts.values()) + parts[ALONE], WHOLE: whole}


def _dissect(predictor: Predictor, model: Model, body: bytes) -> dict[str, float]:
    questions = [Question(predictor.v2, body, new_prediction_id())] * TOGETHER
    plain = predictor.v2.read_plain(body)
    assert plain is not None  # the benchmark's rows are plain
    request, feeds = plain
    many = {name: np.concatenate([tensor] * TOGETHER) for name, tensor in feeds.items()}
    answers = model.answer(feeds)
    running = _micros(lambda: model.run(many)) / TOGETHER
    reading = _micros(lambda: predictor.v2.read_plain(body))
    writing = _micros(lambda: predictor.v2.respond(request, answers, questions[0].prediction_id))
    everything = _micros(lambda: predictor.predict_together(questions)) / TOGETHER
    return {
        ALONE: _micros(lambda: model.run(feeds)),
        f"ONNX Runtime, asked for {TOGETHER} rows together": running,
        "JSON to tensor, every value checked": reading,
        "answer to JSON": writing,
        "joining, parting, looking for NaN": everything - running - reading - writing,
        "prediction id": _micros(new_prediction_id),
        "counting": _counting(predictor, questions[0]),
    }


def _counting(predictor: Predictor, question: Question) -> float:
    rows, requests = RowTallies(predictor.bins), RequestTallies()
    prediction = predictor.predict(question)

    def count() -> None:
        rows.note(prediction.feeds, prediction.values)
        requests.record("ok", 0.001)

    return _micros(count, number=5120)


def _micros(call: Callable[[], object], number: int = 1000) -> float:
    return min(timeit.repeat(call, timer=time.process_time, number=number, repeat=15)) / number * 1e6
