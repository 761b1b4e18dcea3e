"""Predictions: a request for one from its head to its answer, admitted, read, answered and counted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from tidegate_serving.admission import Admission, Slot, fit_bounds
from tidegate_serving.answers import JSON, Answering
from tidegate_serving.bins import Counted
from tidegate_serving.errors import NotFinite, Refusal
from tidegate_serving.exchange import Exchange
from tidegate_serving.memory import read_room
from tidegate_serving.prediction_id import new_prediction_id
from tidegate_serving.predictor import Codec, Prediction, Predictor, Question
from tidegate_serving.settings import Settings
from tidegate_serving.tallies import Outcome, RequestTallies, RowTallies

_LOG = logging.getLogger(__name__)

INLINE_BYTES: Final = 32 << 10
"""Bodies up to this size are answered on the event loop, larger ones in a thread. A row of 30 features has about
700 bytes and costs less than handing it over would; 32 KiB hold the loop, and with it the probes, a millisecond."""
_TURN_BYTES: Final = 128 << 10
"""Bodies that are answered before the loop gets its next turn. It bounds the memory that they take as well."""

CodecOf = Callable[[Predictor], Codec[Any]]


class Asked:
    """What is known of one request until it is answered."""

    __slots__ = ("codec", "exchange", "parts", "prediction_id", "size", "slot", "started")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.prediction_id = new_prediction_id()
        self.started = time.perf_counter()
        self.codec: Codec[Any]
        self.slot: Slot | None = None
        self.parts: list[bytes] = []
        self.size = 0

    def question(self) -> Question:
        """Gives what the predictor is to answer."""
        parts, self.parts = self.parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        return Question(self.codec, body, self.prediction_id)


class Predictions:
    """Answers with the model, once there is one.

    What arrives in one turn of the event loop is asked for together; nothing ever waits for company.
    """

    def __init__(self, settings: Settings, answering: Answering) -> None:
        self.admission = Admission(settings)
        self.requests = RequestTallies()
        self.rows: RowTallies | None = None
        self._settings = settings
        self._answering = answering
        self._predictor: Predictor | None = None
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="predict")
        self._waiting: list[Asked] = []

    def serve(self, predictor: Predictor) -> None:
        """Makes the model the one that answers."""
        self.admission.bounds = fit_bounds(self._settings, read_room(self._settings.memory_bytes))
        self.rows = RowTallies(predictor.bins)
        self._predictor = predictor

    def ready(self) -> Predictor:
        """Gives the model.

        Raises:
            Refusal: 503, it is being loaded.
        """
        if self._predictor is None:
            raise Refusal(503, "not ready: the model is being loaded", headers={"retry-after": "1"})
        return self._predictor

    # A request's life, in this order.

    def begin(self, exchange: Exchange, codec_of: CodecOf) -> None:
        """Admits a request by its head, or refuses it before its body is read."""
        asked = exchange.context = Asked(exchange)
        try:
            _require_post(exchange)
            _require_json(exchange)
            asked.codec = codec_of(self.ready())
            asked.slot = self.admission.enter(_declared(exchange))
        except Refusal as refusal:
            self._finish(asked, refusal)

    def refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        """Refuses a request that can't even begin."""
        asked = exchange.context = Asked(exchange)
        self._finish(asked, refusal)

    def part(self, asked: Asked, part: bytes) -> None:
        """Keeps some of the body."""
        assert asked.slot is not None  # nothing comes of a request that was not admitted
        try:
            self.admission.take(len(part), asked.slot)
        except Refusal as refusal:
            self._finish(asked, refusal)
        else:
            asked.parts.append(part)
            asked.size += len(part)

    def end(self, asked: Asked) -> None:
        """Lets a small body be answered at the end of this turn of the loop, a large one in a thread."""
        assert asked.slot is not None
        if asked.size <= INLINE_BYTES:
            self._waiting.append(asked)
            if len(self._waiting) == 1:
                asyncio.get_running_loop().call_soon(self._answer_waiting)
        else:
            loop = asyncio.get_running_loop()
            thread = loop.run_in_executor(self._threads, self.ready().predict_and_count, asked.question())
            thread.add_done_callback(lambda done: self._finish_large(asked, done))

    def late(self, asked: Asked) -> None:
        """Refuses a request whose body takes too long."""
        seconds = self._settings.body_seconds
        sentence = (
            f"the body was not whole after {seconds:g} s; send fewer rows in one request, or send them faster"
        )
        self._finish(asked, Refusal(408, sentence))

    def gone(self, asked: Asked) -> None:
        """Forgets a request that nobody waits for."""
        self._count(asked, "invalid")

    def _answer_waiting(self) -> None:
        now, size = 0, 0
        while now < len(self._waiting) and size < _TURN_BYTES:
            size += self._waiting[now].size
            now += 1
        asked_now, self._waiting = self._waiting[:now], self._waiting[now:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer_waiting)
        outcomes = self.ready().predict_together([asked.question() for asked in asked_now])
        for asked, outcome in zip(asked_now, outcomes, strict=True):
            self._finish(asked, outcome)

    def _finish_large(self, asked: Asked, done: asyncio.Future[tuple[Prediction, Counted]]) -> None:
        error = done.exception()
        if error is None:
            prediction, counted = done.result()
            self._finish(asked, prediction, counted)
        else:
            self._finish(asked, error)

    def _finish(
        self, asked: Asked, outcome: Prediction | BaseException, counted: Counted | None = None
    ) -> None:
        """Counts first: what a caller has read is in the next snapshot."""
        if isinstance(outcome, Prediction):
            try:
                self._note(outcome, counted)
            except Exception as error:  # noqa: BLE001 - those that wait behind it are to be answered
                outcome = error
        if isinstance(outcome, Prediction):
            self._count(asked, "ok")
            self._answering.send(asked.exchange, outcome.body, JSON, asked.prediction_id)
        else:
            refusal = self._refusal(asked, outcome)
            self._count(asked, _OUTCOMES.get(refusal.status, "invalid"))
            self._answering.refuse(asked.exchange, refusal, asked.prediction_id)

    def _note(self, prediction: Prediction, counted: Counted | None) -> None:
        rows = self.rows
        assert rows is not None  # a predictor comes with its tallies
        if counted is None:
            rows.note(prediction.feeds, prediction.values)
        else:
            rows.add(counted, len(prediction.values))

    def _refusal(self, asked: Asked, error: BaseException) -> Refusal:
        if isinstance(error, Refusal):
            return error
        if isinstance(error, NotFinite):
            self.requests.not_finite += error.rows
            return Refusal(500, str(error))
        # Whatever it was, the caller gets a sentence and no traceback.
        _LOG.error("prediction %s failed", asked.prediction_id, exc_info=error)
        return Refusal(500, "the model failed on this request")

    def _count(self, asked: Asked, outcome: Outcome) -> None:
        # Without this, each would hold the other, and the body, until the collector comes by.
        asked.exchange.context = None
        if asked.slot is not None:
            self.admission.leave(asked.slot)
        self.requests.record(outcome, time.perf_counter() - asked.started)


_OUTCOMES: Final[dict[int, Outcome]] = {429: "overloaded", 503: "overloaded", 500: "failed"}


def _require_post(exchange: Exchange) -> None:
    if exchange.method != b"POST":
        method = exchange.method.decode()
        raise Refusal(405, f"{method} is not answered here, POST is", headers={"allow": "POST"})


def _require_json(exchange: Exchange) -> None:
    headers = exchange.headers
    if headers.get(b"content-type", JSON) != JSON:
        content_type = exchange.header(b"content-type")
        if content_type.partition(";")[0].strip().lower() != JSON.decode():
            raise Refusal(
                415,
                f"the body is sent as '{content_type[:100]}', but Content-Type: {JSON.decode()} is needed",
            )
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding != b"identity" or b"inference-header-content-length" in headers:
        raise Refusal(415, "the body is compressed or holds binary tensors, but plain JSON is needed")


def _declared(exchange: Exchange) -> int | None:
    if b"transfer-encoding" in exchange.headers:
        return None
    length = exchange.headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else None
