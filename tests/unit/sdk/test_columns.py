"""The columns codec: what callers send becomes tensors, or one sentence that names the field."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.columns import INTEGER_LIMIT, ColumnsCodec, InvalidInput
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor


def signature(*features: Feature, datatype: str = "FP64") -> Signature:
    texts = sum(feature.tensor == "strings" for feature in features)
    tensors = (Tensor("numbers", datatype, len(features) - texts), Tensor("strings", "BYTES", texts))
    return Signature(Task.BINARY, features, tuple(tensor for tensor in tensors if tensor.width), ())


def feature(name: str, kind: FeatureKind, *, column: int = 0, nullable: bool = False) -> Feature:
    text = kind in {FeatureKind.STRING, FeatureKind.CATEGORY}
    return Feature(
        name, kind, "strings" if text else "numbers", column, nullable, missing="<missing>" if text else None
    )


def one(kind: FeatureKind, *, nullable: bool = False, datatype: str = "FP64") -> ColumnsCodec:
    return ColumnsCodec(signature(feature("x", kind, nullable=nullable), datatype=datatype))


PEOPLE = ColumnsCodec(
    signature(
        feature("age", FeatureKind.INTEGER),
        feature("income", FeatureKind.NUMBER, column=1, nullable=True),
        feature("member", FeatureKind.BOOLEAN, column=2),
        feature("job", FeatureKind.STRING, nullable=True),
        feature("city", FeatureKind.CATEGORY, column=1),
    )
)


def refusal(codec: ColumnsCodec, columns: dict) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        codec.encode(columns)
    return caught.value


def test_each_kind_goes_to_its_place():
    feeds = PEOPLE.encode(
        {"city": ["Ulm"], "job": [None], "member": [True], "income": [None], "age": [41]},
    )
    np.testing.assert_array_equal(feeds["numbers"], [[41, math.nan, 1]])
    assert feeds["strings"].tolist() == [["<missing>", "Ulm"]]


def test_numpy_columns_and_lists_may_be_mixed():
    feeds = PEOPLE.encode(
        {
            "age": np.array([41, 42]),
            "income": np.array([1.5, np.nan], dtype=np.float32),
            "member": np.array([True, False]),
            "job": ["cook", None],
            "city": np.array(["Ulm", "Bonn"]),
        }
    )
    np.testing.assert_array_equal(feeds["numbers"], [[41, 1.5, 1], [42, math.nan, 0]])
    assert feeds["strings"].tolist() == [["cook", "Ulm"], ["<missing>", "Bonn"]]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (FeatureKind.NUMBER, "7", "'7' (str), but a number is needed"),
        (FeatureKind.NUMBER, True, "True (bool), but a number is needed"),
        (FeatureKind.INTEGER, 1.5, "1.5 (float), but a whole number is needed"),
        (FeatureKind.BOOLEAN, "yes", "'yes' (str), but true or false is needed"),
        (FeatureKind.BOOLEAN, 2, "2 (int), but true or false is needed"),
        (FeatureKind.STRING, 7, "7 (int), but a string is needed"),
        (FeatureKind.CATEGORY, b"a", "b'a' (bytes), but a string or a whole number is needed"),
        (FeatureKind.NUMBER, math.inf, "inf, but a finite number is needed"),
        (FeatureKind.INTEGER, -math.inf, "-inf, but a finite number is needed"),
        (FeatureKind.INTEGER, INTEGER_LIMIT + 1, "9007199254740993, but at most ±9007199254740992 is exact"),
        (FeatureKind.NUMBER, -(10**400), "-1000"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_needed(kind, value, expected):
    error = refusal(one(kind), {"x": [value]})
    assert error.field == "x"
    assert f"feature 'x' is {expected}" in error.message


@pytest.mark.parametrize("kind", list(FeatureKind))
@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_missing_value_is_refused_where_the_version_never_saw_one(kind, missing):
    assert refusal(one(kind), {"x": [missing]}).message == (
        "feature 'x' is missing (null), but this version was built without missing values in it"
    )


@pytest.mark.parametrize(
    ("columns", "field", "message"),
    [
        ({}, "x", "feature 'x' is absent; send null where its value is missing"),
        ({"x": [1.0], "y": [1.0]}, "y", "feature 'y' is unknown to this model; leave it out"),
        ({"x": []}, "", "no rows were sent, at least one is needed"),
    ],
)
def test_wrong_columns_are_refused_by_name(columns, field, message):
    error = refusal(one(FeatureKind.NUMBER), columns)
    assert (error.field, error.message) == (field, message)


def test_columns_of_unequal_length_are_refused():
    columns = {"age": [1, 2], "income": [1.0, 2.0], "member": [True], "job": ["a", "b"], "city": ["a", "b"]}
    assert refusal(PEOPLE, columns).message == "feature 'member' has 1 values, but 'age' has 2"


def test_a_number_beyond_float32_is_refused_where_the_model_takes_float32():
    assert "at most ±3.40282346" in refusal(one(FeatureKind.NUMBER, datatype="FP32"), {"x": [1e39]}).message


@given(st.lists(st.floats(allow_nan=True, allow_infinity=False) | st.none(), min_size=1))
def test_numbers_arrive_bit_by_bit_however_they_are_sent(values):
    codec = one(FeatureKind.NUMBER, nullable=True)
    wanted = np.array([math.nan if value is None else value for value in values]).reshape(-1, 1)
    np.testing.assert_array_equal(codec.encode({"x": values})["numbers"], wanted)
    np.testing.assert_array_equal(codec.encode({"x": wanted.reshape(-1)})["numbers"], wanted)


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1))
def test_integers_arrive_exactly_or_are_refused(values):
    for sent in (values, np.array(values)):
        try:
            got = one(FeatureKind.INTEGER).encode({"x": sent})["numbers"].reshape(-1)
        except InvalidInput:
            assert any(abs(value) > INTEGER_LIMIT for value in values)
        else:
            assert [int(value) for value in got] == values


@given(st.lists(st.floats() | st.integers() | st.text() | st.booleans() | st.none(), min_size=1, max_size=3))
def test_whatever_is_sent_a_refusal_names_the_field(values):
    for kind in FeatureKind:
        fields = []
        try:
            one(kind).encode({"x": values})
        except InvalidInput as error:
            fields.append(error.field)
        assert fields in ([], ["x"])
