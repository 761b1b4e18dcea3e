"""The predictor: from the bytes of a request to the bytes of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from tidegate.columns import Feeds, InvalidInput
from tidegate_serving.bins import BundleBins, Counted
from tidegate_serving.errors import Refusal
from tidegate_serving.model import Answers, Model
from tidegate_serving.unreadable import UNREADABLE, explain_unreadable
from tidegate_serving.v1 import V1Codec
from tidegate_serving.v2 import V2Codec

R = TypeVar("R")
"""A parsed request."""


class Codec(Protocol[R]):
    """One protocol's face."""

    def read(self, body: bytes) -> R:
        """Parses a body."""

    def columns(self, request: R) -> dict[str, list[Any]]:
        """Gives the columns of a parsed body."""

    def respond(self, request: R, answers: Answers, prediction_id: str) -> bytes:
        """Writes the answers."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answered request: the body to send, and what is to be counted."""

    body: bytes
    feeds: Feeds
    values: NDArray[Any]


class Predictor:
    """A loaded model behind its protocols. Keeps no state, so any thread may ask it."""

    def __init__(self, model: Model, *, name: str, revision: str) -> None:
        self.v2 = V2Codec(model.signature, model=name, revision=revision)
        self.v1 = V1Codec(model.signature, revision=revision)
        self.bins = BundleBins(model.signature, model.baseline)
        self._model = model

    def predict(self, codec: Codec[R], body: bytes, prediction_id: str) -> Prediction:
        """Answers one request.

        Raises:
            Refusal: The body can't be answered; says which feature, and what was expected of it.
            NotFinite: The model's answer is none.
        """
        try:
            request = codec.read(body)
            feeds = self._model.encode(codec.columns(request))
        except InvalidInput as error:
            raise Refusal(400, error.message, field=error.field) from error
        except UNREADABLE as error:
            raise explain_unreadable(body, error) from error
        answers = self._model.answer(feeds)
        return Prediction(
            codec.respond(request, answers, prediction_id), feeds, self._model.prediction(answers)
        )

    def predict_and_count(
        self, codec: Codec[R], body: bytes, prediction_id: str
    ) -> tuple[Prediction, Counted]:
        """Answers and bins in one go, for a thread that may take its time."""
        try:
            prediction = self.predict(codec, body, prediction_id)
        except Refusal as refusal:
            # Its traceback would hold on to all that the body had become until the refusal is sent, and by then the
            # next body may have become as much.
            refusal.__cause__ = refusal.__context__ = None
            raise refusal.with_traceback(None)  # noqa: B904 - without a cause, as said
        return prediction, self.bins.count(prediction.feeds, prediction.values)
