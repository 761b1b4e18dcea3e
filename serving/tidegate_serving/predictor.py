"""The predictor: from the bytes of requests to the bytes of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from numpy.typing import NDArray

from tidegate.columns import Feeds, InvalidInput
from tidegate_serving.bins import BundleBins, Counted
from tidegate_serving.errors import Refusal
from tidegate_serving.model import Answers, Model
from tidegate_serving.openapi import build_document
from tidegate_serving.plain import PlainRows
from tidegate_serving.together import Together
from tidegate_serving.unreadable import UNREADABLE, explain_unreadable
from tidegate_serving.v1 import V1Codec
from tidegate_serving.v2 import V2Codec

R = TypeVar("R")
"""A parsed request."""


class Codec(Protocol[R]):
    """One protocol's face."""

    def read_plain(self, body: bytes) -> tuple[R, Feeds] | None:
        """Parses a body that is nothing but plain rows; none: it is to be read in the general way."""

    def read(self, body: bytes) -> R:
        """Parses a body."""

    def columns(self, request: R) -> dict[str, list[Any]]:
        """Gives the columns of a parsed body."""

    def respond(self, request: R, answers: Answers, prediction_id: str) -> bytes:
        """Writes the answers."""


class Question(NamedTuple):
    """One request's body, with the protocol that it speaks and the id that its answer gets."""

    codec: Codec[Any]
    body: bytes
    prediction_id: str


class Prediction(NamedTuple):
    """An answered request: the body to send, and what is to be counted."""

    body: bytes
    feeds: Feeds
    values: NDArray[Any]


class Predictor:
    """A loaded model behind its protocols. Keeps no state, so any thread may ask it."""

    def __init__(self, model: Model, *, name: str, revision: str) -> None:
        plain = PlainRows(model.signature)
        self.v2 = V2Codec(model.signature, plain, model=name, revision=revision)
        self.v1 = V1Codec(model.signature, plain, revision=revision)
        self.bins = BundleBins(model.signature, model.baseline)
        self.together = Together(model)
        self.document = build_document(model.signature, model=name, revision=revision)
        self._model = model

    def predict(self, question: Question) -> Prediction:
        """Answers one request.

        Raises:
            Refusal: The body can't be answered; says which feature, and what was expected of it.
            NotFinite: The model's answer is none.
        """
        request, feeds = self._read(question)
        return self._prediction(question, request, feeds, self._model.answer(feeds))

    def predict_together(self, questions: Sequence[Question]) -> list[Prediction | Exception]:
        """Gives for each request what `predict` would have given or raised."""
        read: list[tuple[Any, Feeds] | Exception] = [self._try_to_read(question) for question in questions]
        readable = [one for one in read if isinstance(one, tuple)]
        answers = iter(self.together.answer([feeds for _, feeds in readable]) if readable else ())
        outcomes: list[Prediction | Exception] = []
        for question, one in zip(questions, read, strict=True):
            outcomes.append(self._outcome(question, one, answers) if isinstance(one, tuple) else one)
        return outcomes

    def _outcome(
        self, question: Question, read: tuple[Any, Feeds], answers: Iterator[Answers | Exception]
    ) -> Prediction | Exception:
        answer = next(answers)
        if isinstance(answer, Exception):
            return answer
        try:
            return self._prediction(question, *read, answer)
        except Exception as error:  # noqa: BLE001 - for whom it concerns; the neighbours are answered
            return error

    def predict_and_count(self, question: Question) -> tuple[Prediction, Counted]:
        """Answers and bins in one go, for a thread that may take its time."""
        try:
            prediction = self.predict(question)
        except Refusal as refusal:
            # Its traceback would hold on to all that the body had become until the refusal is sent, and by then the
            # next body may have become as much.
            refusal.__cause__ = refusal.__context__ = None
            raise refusal.with_traceback(None)  # noqa: B904 - without a cause, as said
        return prediction, self.bins.count(prediction.feeds, prediction.values)

    def _try_to_read(self, question: Question) -> tuple[Any, Feeds] | Exception:
        try:
            return self._read(question)
        except Exception as error:  # noqa: BLE001 - for whom it concerns; the neighbours are answered
            return error

    def _read(self, question: Question) -> tuple[Any, Feeds]:
        codec = question.codec
        try:
            plain = codec.read_plain(question.body)
            if plain is not None:
                return plain
            request = codec.read(question.body)
            return request, self._model.encode(codec.columns(request))
        except InvalidInput as error:
            raise Refusal(400, error.message, field=error.field) from error
        except UNREADABLE as error:
            raise explain_unreadable(question.body, error) from error

    def _prediction(self, question: Question, request: object, feeds: Feeds, answers: Answers) -> Prediction:
        body = question.codec.respond(request, answers, question.prediction_id)
        return Prediction(body, feeds, self._model.prediction(answers))
