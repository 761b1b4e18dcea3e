"""What KServe's and MLServer's clients send is answered as they expect, with the ids that we add."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from tests.unit.serving.conftest import Server

ROW = {"amount": 1.5, "visits": 2, "country": "DE"}


def tensor(name, data, datatype="FP64", shape=None):
    return {"name": name, "shape": shape or [len(data)], "datatype": datatype, "data": data}


def tensors(amount=(1.5,), visits=(2,), country=("DE",)):
    return [
        tensor("amount", amount),
        tensor("visits", visits, "INT64", [len(visits), 1]),
        tensor("country", country, "BYTES"),
    ]


def infer(server: Server, content) -> httpx.Response:
    return httpx.post(f"{server.url}/v2/models/fraud/infer", json=content)


def predict(server: Server, content) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/models/fraud:predict", json=content)


def test_v2_takes_one_tensor_a_feature_and_answers_by_output(server):
    answer = infer(server, {"inputs": tensors((1.5, 4.0), (2, 3), ("DE", "FR"))}).json()
    assert answer["outputs"] == [{"name": "prediction", "shape": [2], "datatype": "FP32", "data": [4.5, 7.0]}]
    assert (answer["model_name"], answer["model_version"]) == ("fraud", "fraud-abc")


def test_v2_takes_a_matrix_under_its_tensors_name(server):
    matrix = tensor("numbers", [1.5, 2, 4.0, 3], shape=[2, 2])
    country = tensor("country", ["DE", "FR"], "BYTES", [2, 1])
    assert infer(server, {"inputs": [matrix, country]}).json()["outputs"][0]["data"] == [4.5, 7.0]


def test_v2_takes_nested_data(server):
    matrix = tensor("numbers", [[1.5, 2], [4.0, 3]], shape=[2, 2])
    country = tensor("country", [["DE"], ["FR"]], "BYTES", [2, 1])
    assert infer(server, {"inputs": [matrix, country]}).json()["outputs"][0]["data"] == [4.5, 7.0]


def test_v2_echoes_the_callers_id_and_gives_its_own_beside_it(server):
    response = infer(server, {"id": "mine", "inputs": tensors()})
    prediction_id = response.headers["tidegate-prediction-id"]
    assert response.json()["id"] == "mine"
    assert response.json()["parameters"]["prediction_id"] == prediction_id
    assert len(prediction_id) == 36


def test_v2_without_an_id_answers_under_the_predictions(server):
    response = infer(server, {"inputs": tensors()})
    assert response.json()["id"] == response.headers["tidegate-prediction-id"]


def test_v1_takes_rows_as_lists_and_as_objects(server):
    answer = predict(server, {"instances": [[1.5, 2, "DE"], {"country": "FR", "amount": 4, "visits": 3}]})
    assert answer.json()["predictions"] == [4.5, 7.0]
    assert answer.json()["prediction_id"] == answer.headers["tidegate-prediction-id"]
    assert answer.headers["tidegate-revision"] == "fraud-abc"


def test_null_is_a_missing_value(server):
    assert predict(server, {"instances": [ROW | {"amount": None}]}).json()["predictions"] == [2.0]


def test_a_body_of_thousands_of_rows_is_answered_too(server):
    answer = predict(server, {"instances": [ROW] * 5000})
    assert answer.json()["predictions"] == [4.5] * 5000


@pytest.mark.parametrize(
    ("instance", "field", "sentence"),
    [
        (ROW | {"amount": "a lot"}, "amount", "a number is needed"),
        (ROW | {"visits": 1.5}, "visits", "a whole number is needed"),
        (ROW | {"visits": None}, "visits", "built without missing values"),
        ({"amount": 1.0, "visits": 1}, "country", "absent"),
        (ROW | {"colour": "red"}, "colour", "unknown"),
        ([1, 2], None, "takes 3"),
    ],
)
def test_bad_input_is_named_with_what_was_expected(server, instance, field, sentence):
    response = predict(server, {"instances": [instance]})
    assert response.status_code == 400
    assert response.json().get("field") == field
    assert sentence in response.json()["error"]
    assert response.headers["tidegate-prediction-id"]


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([tensor("amount", [1.0], shape=[2]), *tensors()[1:]], "needs 2"),
        ([tensor("amount", [1.0], "FLOAT"), *tensors()[1:]], "datatype 'FLOAT'"),
        ([*tensors(), tensor("amount", [1.0])], "sent twice"),
        ([*tensors(), tensor("colour", ["red"], "BYTES")], "'colour' is unknown"),
        ([tensor("numbers", [1, 2, 3], shape=[1, 3])], "[rows, 2] is needed"),
        ([tensor("amount", [1.0, 2.0]), *tensors()[1:]], "has 1 values"),
        ([], "absent"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_with_a_sentence(server, inputs, sentence):
    response = infer(server, {"inputs": inputs})
    assert response.status_code == 400
    assert sentence in response.json()["error"]


def test_an_answer_that_is_no_number_fails_the_request(server):
    response = predict(server, {"instances": [ROW | {"amount": 1e30}, ROW]})
    assert response.status_code == 500
    assert "not a finite number in 1 of the rows" in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v2", {"name": "tidegate"}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/fraud", {"name": "fraud", "versions": ["fraud-abc"]}),
        ("/v2/models/fraud/ready", {"ready": True}),
        ("/v1/models", {"models": ["fraud"]}),
        ("/v1/models/fraud", {"name": "fraud", "ready": True}),
    ],
)
def test_models_and_health_are_described(server, path, shape):
    answer = httpx.get(server.url + path)
    assert answer.status_code == 200
    assert shape.items() <= answer.json().items()


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /v2/models/fraud/infer", {}, 405),
        ("POST /v2/health/live", {}, 405),
        ("POST /v2/models/other/infer", {}, 404),
        ("GET /v1/models/other", {}, 404),
        ("GET /nowhere", {}, 404),
        ("POST /v1/models/fraud:predict", {"content-type": "text/csv"}, 415),
        ("POST /v1/models/fraud:predict", {"content-encoding": "gzip"}, 415),
    ],
)
def test_what_is_not_served_is_refused_with_its_status(server, line, headers, status):
    answer = httpx.request(line.split()[0], server.url + line.split()[1], headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://fraud.shop.svc/v2/health/live", 200),
        ("/v2/health/live?verbose=1", 200),
        ("/v2/models/%66raud/ready", 200),
        ("http://[", 404),
        ("*", 404),
    ],
)
def test_a_target_may_be_spelt_in_each_way_that_http_has(server, target, status):
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        assert connection.recv(100).split()[1] == str(status).encode()
