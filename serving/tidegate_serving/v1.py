"""The V1 protocol (`:predict`): instances to columns, answers to predictions."""

from __future__ import annotations

from typing import Any

import msgspec

from tidegate.columns import Feeds, InvalidInput, brief
from tidegate.signature import Signature
from tidegate_serving.model import Answers
from tidegate_serving.plain import PlainRows
from tidegate_serving.unreadable import UNREADABLE


class Request(msgspec.Struct):
    """The body of `:predict`: each instance a row, as a list in the signature's order or as an object by name."""

    instances: list[list[Any] | dict[str, Any]]


class PlainRequest(msgspec.Struct):
    """A body whose instances are lists of nothing but numbers."""

    instances: list[list[float]]


class V1Codec:
    """Reads and writes the protocol for one signature."""

    def __init__(self, signature: Signature, plain: PlainRows, *, revision: str) -> None:
        self._names = tuple(feature.name for feature in signature.features)
        self._known = frozenset(self._names)
        self._outputs = tuple(output.name for output in signature.outputs)
        self._revision = revision
        self._decoder = msgspec.json.Decoder(Request)
        self._plain = plain
        self._plain_decoder = msgspec.json.Decoder(PlainRequest)

    def read_plain(self, body: bytes) -> tuple[PlainRequest, Feeds] | None:
        """Parses a body whose rows are plain."""
        if not self._plain.fits:
            return None
        try:
            request = self._plain_decoder.decode(body)
        except UNREADABLE:
            return None
        feeds = self._plain.encode_rows(request.instances)
        return None if feeds is None else (request, feeds)

    def read(self, body: bytes) -> Request:
        """Parses a body.

        Raises:
            msgspec.DecodeError: It is not JSON, or not a request.
        """
        return self._decoder.decode(body)

    def columns(self, request: Request) -> dict[str, list[Any]]:
        """Gives the columns.

        Raises:
            InvalidInput: A row has too few, too many or unknown values.
        """
        rows = [self._row(place, instance) for place, instance in enumerate(request.instances)]
        return {name: [row[place] for row in rows] for place, name in enumerate(self._names)}

    def _row(self, place: int, instance: list[Any] | dict[str, Any]) -> list[Any]:
        if isinstance(instance, list):
            if len(instance) != len(self._names):
                raise InvalidInput(
                    "",
                    f"instance {place} has {len(instance)} values, but this model takes {len(self._names)}: "
                    f"{', '.join(self._names[:10])}{' …' if len(self._names) > 10 else ''}",
                )
            return instance
        if instance.keys() != self._known:
            raise self._wrong_names(place, instance)
        return [instance[name] for name in self._names]

    def _wrong_names(self, place: int, instance: dict[str, Any]) -> InvalidInput:
        for name in self._names:
            if name not in instance:
                return InvalidInput(
                    name,
                    f"feature '{name}' is absent from instance {place}; send null where its value is missing",
                )
        unknown = next(name for name in instance if name not in self._known)
        return InvalidInput(
            unknown, f"feature '{brief(unknown)}' of instance {place} is unknown to this model; leave it out"
        )

    def respond(self, _: Request | PlainRequest, answers: Answers, prediction_id: str) -> bytes:
        """Writes one prediction a row: the value where the model has one output, else an object by output."""
        values = [answer.tolist() for answer in answers]
        predictions = (
            values[0]
            if len(values) == 1
            else [dict(zip(self._outputs, row, strict=True)) for row in zip(*values, strict=True)]
        )
        return msgspec.json.encode(
            {"predictions": predictions, "prediction_id": prediction_id, "revision": self._revision}
        )
