"""The codecs answer what is right the same way however it is sent, and refuse all else with a short sentence."""

import json

import pytest
from hypothesis import strategies as st
from tests.unit.serving.fuzz.budget import fuzz
from tests.unit.serving.fuzz.rows import WAYS, bodies, rows, spoiled

from tidegate_serving.errors import Refusal
from tidegate_serving.predictor import Predictor, Question

pytestmark = pytest.mark.timeout(0)


def answer(predictor: Predictor, protocol: str, body: bytes) -> dict:
    prediction, _ = predictor.predict_and_count(Question(getattr(predictor, protocol), body, "id"))
    return json.loads(prediction.body)


def refused(predictor: Predictor, protocol: str, body: bytes) -> Refusal | None:
    try:
        answer(predictor, protocol, body)
    except Refusal as refusal:
        return refusal
    return None


def predictions(predictor: Predictor, protocol: str, body: bytes) -> list:
    """What was predicted, row by row, in one form for both protocols."""
    content = answer(predictor, protocol, body)
    if protocol == "v1":
        return [(one["label"], one["probabilities"]) for one in content["predictions"]]
    label, shares = (output["data"] for output in content["outputs"])
    return [(name, shares[2 * row : 2 * row + 2]) for row, name in enumerate(label)]


def test_a_row_gets_one_answer_however_it_is_sent(predictor, tried):
    def check(instances):
        bodies = [(protocol, write(instances)) for protocol, ways in WAYS.items() for write in ways]
        first, *others = (predictions(predictor, protocol, body) for protocol, body in bodies)
        assert len(first) == len(instances)
        assert others == [first] * 3

    tried["rows in four forms"] += fuzz(check, st.lists(rows, min_size=1, max_size=4), share=0.1)


def test_whatever_is_sent_is_answered_or_refused_in_a_sentence(predictor, tried):
    def check(body):
        for protocol in WAYS:
            refusal = refused(predictor, protocol, body)
            assert refusal is None or refusal.status == 400
            assert refusal is None or 10 < len(refusal.message) < 1000

    tried["spoiled bodies"] += 2 * fuzz(check, spoiled(bodies) | st.binary(max_size=60), share=0.15)
