"""Plain rows take a shorter way to the same answers, and to the same refusals."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.unit.serving.bundles import SIGNATURE, write_numbers_bundle

from tidegate_serving.errors import NotFinite, Refusal
from tidegate_serving.model import Model
from tidegate_serving.plain import PlainRows
from tidegate_serving.predictor import Predictor, Question

values = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**60), 2**60)
    | st.sampled_from([None, True, "1", 2**53, 2**53 - 1, -(2**53), 3.5e38, [], 0.1])
)
rows = st.lists(
    st.lists(values, min_size=2, max_size=4) | st.lists(values, min_size=3, max_size=3), max_size=3
)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A predictor that takes the shorter way where it can, and one that never does."""
    folder = tmp_path_factory.mktemp("plain") / "bundle"
    write_numbers_bundle(folder)
    model = Model(folder, threads=1)
    short, general = (Predictor(model, name="fraud", revision="r") for _ in range(2))
    assert short.v1._plain.fits
    general.v1._plain.fits = general.v2._plain.fits = False
    return short, general


def outcome(predictor: Predictor, protocol: str, content: object) -> object:
    question = Question(getattr(predictor, protocol), json.dumps(content).encode(), "id")
    try:
        return predictor.predict(question).body
    except (Refusal, NotFinite) as error:
        return str(error)


CALM = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@CALM
@given(instances=rows)
@example(instances=[[1, 2.5, -0.0]])
@example(instances=[[2**53 + 1, 2, 3]])
def test_v1_answers_alike_on_either_way(both, instances):
    short, general = (outcome(predictor, "v1", {"instances": instances}) for predictor in both)
    assert short == general


tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["x", "a", "input-0"]),
        "shape": st.lists(st.integers(-1, 4), max_size=3) | st.sampled_from([[1, 3], [2, 3]]),
        "datatype": st.sampled_from(["FP32", "FP64", "?"]),
        "data": st.lists(values, max_size=7),
    }
)


@CALM
@given(tensor=tensors, outputs=st.sampled_from([None, [], [{"name": "prediction"}], [{"name": "other"}]]))
@example(tensor={"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3.5]}, outputs=None)
@example(tensor={"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1e300, 2, 3]}, outputs=None)
def test_v2_answers_alike_on_either_way(both, tensor, outputs):
    content = {"inputs": [tensor], "outputs": outputs, "id": "mine"}
    short, general = (outcome(predictor, "v2", content) for predictor in both)
    assert short == general


def test_a_row_of_numbers_takes_the_shorter_way(both):
    codec = both[0].v2
    tensor = {"name": "input-0", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3.5]}
    assert codec.read_plain(msgspec.json.encode({"inputs": [tensor]})) is not None


def test_a_model_that_takes_more_than_numbers_has_only_the_general_way():
    assert not PlainRows(SIGNATURE).fits
