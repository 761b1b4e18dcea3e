"""Requests that arrive together are answered together, and each as if it were alone."""

import asyncio
import json
from collections import Counter

import httpx
import pytest
from tests.unit.serving.bundles import write_numbers_bundle, write_sum_bundle

from tidegate_serving.errors import NotFinite, Refusal
from tidegate_serving.model import Model
from tidegate_serving.predictor import Prediction, Predictor, Question


class CountedModel(Model):
    """A model that writes down how many rows it was asked for at once."""

    calls: Counter[int]

    def answer(self, feeds):
        self.calls[len(next(iter(feeds.values())))] += 1
        return super().answer(feeds)


@pytest.fixture
def load(tmp_path):
    """Loads a bundle of three numbers, or of the sum with a country: `load(together=…)`; counts from then on."""

    def load(**of_numbers) -> tuple[CountedModel, Predictor]:
        (write_numbers_bundle if of_numbers else write_sum_bundle)(tmp_path / "b", **of_numbers)
        model = CountedModel(tmp_path / "b", threads=1)
        model.calls = Counter()
        predictor = Predictor(model, name="fraud", revision="r")
        model.calls.clear()
        return model, predictor

    return load


def ask(predictor: Predictor, *instances: object) -> list[object]:
    """Asks for each instance with a request of its own; gives the predictions and the errors."""
    questions = [
        Question(predictor.v1, json.dumps({"instances": [instance]}).encode(), f"id-{place}")
        for place, instance in enumerate(instances)
    ]
    return [
        json.loads(outcome.body)["predictions"][0] if isinstance(outcome, Prediction) else outcome
        for outcome in predictor.predict_together(questions)
    ]


def test_requests_that_come_together_are_one_call_of_the_graph(load):
    model, predictor = load()
    assert ask(predictor, [1.5, 2, "DE"], [4.0, 3, "FR"], [None, 1, "ES"]) == [4.5, 7.0, 0.0]
    assert model.calls == {3: 1}


def test_each_answer_goes_to_who_asked_with_its_id(load):
    _, predictor = load()
    bodies = [b'{"instances": [[1, 1, "FR"], [2, 1, "FR"]]}', b'{"instances": [[3, 1, "FR"]]}']
    questions = [Question(predictor.v1, body, f"id-{place}") for place, body in enumerate(bodies)]
    answers = [json.loads(outcome.body) for outcome in predictor.predict_together(questions)]
    assert [answer["predictions"] for answer in answers] == [[2.0, 3.0], [4.0]]
    assert [answer["prediction_id"] for answer in answers] == ["id-0", "id-1"]


def test_a_request_that_can_not_be_read_does_not_hurt_its_neighbours(load):
    _, predictor = load()
    first, refused, last = ask(predictor, [1.5, 2, "DE"], ["a lot", 2, "DE"], [4.0, 3, "FR"])
    assert (first, last) == (4.5, 7.0)
    assert isinstance(refused, Refusal)
    assert refused.field == "amount"


def test_an_answer_that_is_no_number_fails_only_the_request_that_it_is_for(load):
    _, predictor = load()
    first, failed, last = ask(predictor, [1.5, 2, "DE"], [1e30, 2, "DE"], [4.0, 3, "FR"])
    assert (first, last) == (4.5, 7.0)
    assert isinstance(failed, NotFinite)
    assert failed.rows == 1


def test_an_answer_that_can_not_be_written_fails_only_the_request_that_it_is_for(load, monkeypatch):
    _, predictor = load()
    respond = predictor.v1.respond

    def respond_but_once(request, answers, prediction_id):
        if prediction_id == "id-1":
            raise ValueError("no word for it")
        return respond(request, answers, prediction_id)

    monkeypatch.setattr(predictor.v1, "respond", respond_but_once)
    first, failed, last = ask(predictor, [1.5, 2, "DE"], [1.0, 1, "FR"], [4.0, 3, "FR"])
    assert (first, last) == (4.5, 7.0)
    assert isinstance(failed, ValueError)


@pytest.mark.parametrize("together", ["by mean", "never"])
def test_a_model_whose_answers_depend_on_their_company_is_asked_alone(load, together):
    model, predictor = load(together=together)
    alone = [0.0] if together == "by mean" else [6.0]
    assert ask(predictor, [1, 2, 3], [2, 2, 2]) == [alone, alone]
    assert model.calls == {1: 2}


async def test_requests_over_many_connections_are_counted_as_so_many(start_server, bundle):
    """Some of them together, some refused: the counts are exact all the same."""
    folder, digest = bundle
    server = start_server(folder.as_uri(), digest)
    server.until_status("/v2/health/ready", 200)
    instances = [[1.5, 2, "DE"], ["a lot", 2, "DE"], [1e30, 2, "DE"], [None, 1, "ES"]] * 50
    url = f"{server.url}/v1/models/fraud:predict"
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=16), timeout=30) as client:
        answers = await asyncio.gather(*(client.post(url, json={"instances": [one]}) for one in instances))
        counts = (await client.get(f"{server.url}/internal/snapshot")).json()
    assert Counter(answer.status_code for answer in answers) == {200: 100, 400: 50, 500: 50}
    assert counts["requests"] == {"ok": 100, "invalid": 50, "overloaded": 0, "failed": 50}
    assert (counts["rows"], counts["not_finite"], sum(counts["latency"])) == (100, 50, 200)
    assert counts["features"]["amount"]["missing"] == counts["features"]["country"]["unseen"] == 50
    assert len({answer.headers["tidegate-prediction-id"] for answer in answers}) == 200
