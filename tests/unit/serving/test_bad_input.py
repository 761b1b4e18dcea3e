"""What callers send by mistake comes back with one sentence: what is wrong, at which feature, and what is needed."""

import json

import httpx
import pytest

ROW = {"amount": 1.5, "visits": 2, "country": "DE"}
BODY = "the body is not what this path takes: "
NO_WORD = "NaN and Infinity are not JSON; send null where a value is missing"
NEVER_MISSING = "but this version was built without missing values in it"
GAP = "send null where its value is missing"
ROWS = "but [rows] or [rows, columns] is needed"
MATRIX = "but [rows, 2] is needed: one column for each of amount, visits"
TOO_MANY = "needs more than there can be"
DATATYPES = "but one of FP64, FP32, INT64, BOOL and BYTES is needed"
VAST = b'{"instances": [[1, 1' + b"0" * 5000 + b', "DE"]]}'


def tensors(**changed):
    """A right request by the Open Inference Protocol, its first input changed."""
    first = {"name": "amount", "shape": [1], "datatype": "FP64", "data": [1.5]} | changed
    visits = {"name": "visits", "shape": [1], "datatype": "INT64", "data": [2]}
    country = {"name": "country", "shape": [1], "datatype": "BYTES", "data": ["DE"]}
    return {"inputs": [first, visits, country]}


def refusal(server, path: str, body: bytes, status: int = 400) -> tuple[str | None, str]:
    """The field and the sentence of a refused request."""
    answer = httpx.post(server.url + path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    return answer.json().get("field"), answer.json()["error"]


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"amount": "7"}, "amount", "feature 'amount' is '7' (str), but a number is needed"),
        ({"amount": True}, "amount", "feature 'amount' is True (bool), but a number is needed"),
        ({"amount": [7]}, "amount", "feature 'amount' is a list of 1 values, but a number is needed"),
        ({"amount": {}}, "amount", "feature 'amount' is an object of 0 fields, but a number is needed"),
        ({"amount": 1e39}, "amount", "feature 'amount' is 1e+39, but at most ±3.402823466385289e+38 is exact"),
        ({"visits": 1.5}, "visits", "feature 'visits' is 1.5 (float), but a whole number is needed"),
        ({"visits": 2**53 + 1}, "visits", f"feature 'visits' is {2**53 + 1}, but at most ±{2**53} is exact"),
        ({"visits": None}, "visits", "feature 'visits' is missing (null), " + NEVER_MISSING),
        ({"country": 1.5}, "country", "feature 'country' is 1.5 (float), but a string or a whole number is needed"),
        ({"colour": 1}, "colour", "feature 'colour' of instance 0 is unknown to this model; leave it out"),
        ({"x" * 9999: 1}, "x" * 100, f"feature '{'x' * 100}…' of instance 0 is unknown to this model; leave it out"),
    ],
)  # fmt: skip
def test_a_wrong_value_of_a_row_is_named_by_its_feature(server, changed, field, sentence):
    body = json.dumps({"instances": [ROW | changed]}).encode()
    assert refusal(server, "/v1/models/fraud:predict", body) == (field, sentence)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"data": ["7"]}, "feature 'amount' is '7' (str), but a number is needed"),
        ({"data": []}, "input 'amount' has 0 values, but its shape [1] needs 1"),
        ({"data": [1, 2]}, "input 'amount' has 2 values, but its shape [1] needs 1"),
        ({"data": [[[1]]]}, "feature 'amount' is a list of 1 values, but a number is needed"),
        ({"shape": []}, f"input 'amount' has the shape [], {ROWS}"),
        ({"shape": [-1]}, f"input 'amount' has the shape [-1], {ROWS}"),
        ({"shape": [1] * 9}, f"input 'amount' has the shape [1, 1, 1, 1, 1, 1, 1, 1, …], {ROWS}"),
        ({"shape": [1, 2], "data": [1, 2]}, "feature 'amount' has the shape [1, 2], but [rows] is needed"),
        ({"shape": [10**9, 10**9]}, f"input 'amount' has 1 values, but its shape [{10**9}, {10**9}] needs {10**18}"),
        ({"shape": [10**18, 100]}, f"input 'amount' has 1 values, but its shape [{10**18}, 100] {TOO_MANY}"),
        ({"shape": [2], "data": [1, 2]}, "feature 'visits' has 1 values, but 'amount' has 2"),
        ({"datatype": "FLOAT"}, f"input 'amount' has the datatype 'FLOAT', {DATATYPES}"),
        ({"name": "colour"}, "input 'colour' is unknown to this model; its features are amount, visits, country"),
        ({"name": "visits"}, "feature 'visits' was sent twice"),
        ({"name": "numbers", "shape": [1, 3], "data": [1, 2, 3]}, f"input 'numbers' has the shape [1, 3], {MATRIX}"),
    ],
)  # fmt: skip
def test_a_wrong_tensor_is_named(server, changed, sentence):
    field, error = refusal(server, "/v2/models/fraud/infer", json.dumps(tensors(**changed)).encode())
    assert error == sentence
    assert field == sentence.split("'")[1]


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        (b"", None, BODY + "it is empty"),
        (b"amount=1", None, BODY + "JSON is malformed: invalid character (byte 0)"),
        (b'{"instances": [[NaN, 2, "DE"]]}', None, BODY + NO_WORD),
        (b'{"instances": [[-Infinity, 2, "DE"]]}', None, BODY + NO_WORD),
        (b'{"instances": [[1e999, 2, "DE"]]}', "instances[0][0]", BODY + "number out of range at instances[0][0]"),
        (VAST, "instances[0][1]", BODY + "integer value out of range at instances[0][1]"),
        (b'{"instances": [[1, 2, "\xff"]]}', None, BODY + "it is not UTF-8"),
        (b'{"instances": ' + b"[" * 100_000, None, BODY + "it is nested too deeply"),
        (b"[1, 2]", None, BODY + "expected 'object', got 'array'"),
        (b"{}", None, BODY + "object missing required field 'instances'"),
        (b'{"instances": 3}', "instances", BODY + "expected 'array', got 'int' at instances"),
        (b'{"instances": []}', None, "no rows were sent, at least one is needed"),
        (b'{"instances": [[1, 2]]}', None, "instance 0 has 2 values, but this model takes 3: amount, visits, country"),
        (b'{"instances": [{"amount":1,"visits":2}]}', "country", "feature 'country' is absent from instance 0; " + GAP),
    ],
)  # fmt: skip
def test_a_body_that_is_no_request_is_refused_with_the_place(server, body, field, sentence):
    assert refusal(server, "/v1/models/fraud:predict", body) == (field, sentence)


@pytest.mark.parametrize(
    ("content", "field", "sentence"),
    [
        ({"inputs": []}, "amount", "feature 'amount' is absent; " + GAP),
        (tensors(shape=[0], data=[]), None, "no rows were sent, at least one is needed"),
        (tensors(shape="1"), "inputs[0].shape", BODY + "expected 'array', got 'str' at inputs[0].shape"),
        (tensors() | {"outputs": [{"name": "y"}]}, "y", "output 'y' is unknown; this model answers ['prediction']"),
    ],
)  # fmt: skip
def test_a_request_without_sense_is_refused_with_the_field(server, content, field, sentence):
    assert refusal(server, "/v2/models/fraud/infer", json.dumps(content).encode()) == (field, sentence)


def test_a_shape_of_thousands_of_digits_is_refused_too(server):
    body = json.dumps(tensors()).replace("[1]", f"[1{'0' * 4000}, 1{'0' * 4000}]", 1).encode()
    _, error = refusal(server, "/v2/models/fraud/infer", body)
    assert error.endswith("needs more than there can be")
    assert len(error) < 400


def test_a_hundred_thousand_rows_are_answered(server):
    body = json.dumps({"instances": [[1.5, 2, "DE"]] * 100_000}).encode()
    answer = httpx.post(f"{server.url}/v1/models/fraud:predict", content=body, timeout=30)
    assert len(answer.json()["predictions"]) == 100_000


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v2/models/other/infer", "model 'other' is not served here; this is 'fraud'"),
        ("/v1/models/other:predict", "model 'other' is not served here; this is 'fraud'"),
        ("/v2/models/%ff%00/infer", "model '\ufffd\0' is not served here; this is 'fraud'"),
        ("/infer", "nothing is served at /infer; predictions are at /v2/models/fraud/infer"),
    ],
)
def test_an_unknown_model_or_path_is_told_what_is_served(server, path, sentence):
    assert refusal(server, path, b"{}", status=404) == (None, sentence)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"content-type": "text/csv"}, "the body is sent as 'text/csv', but Content-Type: application/json is needed"),
        ({"content-encoding": "gzip"}, "the body is compressed or holds binary tensors, but plain JSON is needed"),
    ],
)  # fmt: skip
def test_what_is_no_plain_json_by_its_headers_gets_415(server, headers, sentence):
    answer = httpx.post(f"{server.url}/v2/models/fraud/infer", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (415, sentence)
