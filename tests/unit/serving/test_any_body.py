"""Whatever a body holds, it is answered or refused with a sentence: never another failure."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.serving.bundles import write_sum_bundle

from tidegate_serving.errors import NotFinite, Refusal
from tidegate_serving.model import Model
from tidegate_serving.predictor import Predictor, Question

CALM = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["DE", 2, 1.5])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)
names = st.sampled_from(["amount", "visits", "country", "numbers", "colour", "prediction"])
rows = st.lists(scalars, min_size=3, max_size=3) | st.dictionaries(names, scalars) | anything
tensors = st.fixed_dictionaries(
    {
        "name": names,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | anything,
        "datatype": st.sampled_from(["FP64", "INT64", "BYTES", "BOOL", "?"]),
        "data": st.lists(scalars | st.lists(scalars, max_size=3), max_size=6) | anything,
    }
)
v1_bodies = st.fixed_dictionaries({"instances": st.lists(rows, max_size=4) | anything}) | anything
v2_bodies = st.fixed_dictionaries({"inputs": st.lists(tensors, max_size=4) | anything}) | anything


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("any") / "bundle"
    write_sum_bundle(folder)
    return Predictor(Model(folder, threads=1), name="fraud", revision="r")


def require_answer_or_refusal(predictor, codec, body: bytes) -> None:
    """Passes for an answer, a 400 with a sentence, and an answer that is no number; lets all else through."""
    with suppress(NotFinite):
        assert status(predictor, codec, body) in {200, 400}


def status(predictor, codec, body: bytes) -> int:
    try:
        predictor.predict_and_count(Question(codec, body, "id"))
    except Refusal as refusal:
        return refusal.status if refusal.message else 0
    return 200


@CALM
@given(content=v1_bodies)
def test_v1(predictor, content):
    require_answer_or_refusal(predictor, predictor.v1, json.dumps(content).encode())


@CALM
@given(content=v2_bodies)
def test_v2(predictor, content):
    require_answer_or_refusal(predictor, predictor.v2, json.dumps(content).encode())


@CALM
@given(body=st.binary(max_size=50))
def test_bytes_that_are_no_json(predictor, body):
    require_answer_or_refusal(predictor, predictor.v2, body)
    require_answer_or_refusal(predictor, predictor.v1, body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"instances": [[1' + b"0" * 5000 + b', 2, "DE"]]}',
        b'{"instances": [[1e999, 2, "DE"]]}',
        b'{"instances": [[1, 2, "\\ud800"]]}',
        b'{"instances": [[1, 2, "\xff"]]}',
    ],
    ids=["deep", "thousands of digits", "beyond float64", "half a surrogate", "not UTF-8"],
)
def test_hostile_bodies(predictor, body):
    require_answer_or_refusal(predictor, predictor.v1, body)
