"""Answers: the heads and bodies of what is sent, refusals included."""

from __future__ import annotations

from typing import Final

import msgspec

from tidegate import pod
from tidegate_serving.errors import Refusal
from tidegate_serving.exchange import Exchange

JSON: Final = b"application/json"


class Answering:
    """Sends answers under the revision's name."""

    def __init__(self, revision: str) -> None:
        self.draining = False
        """Every answer then ends its connection. Without it, a client would send its next request on one that is
        about to be closed."""
        self._head = f"{pod.REVISION_HEADER}: {revision}\r\ncontent-type: ".encode()

    def send(self, exchange: Exchange, body: bytes, content_type: bytes, prediction_id: str = "") -> None:
        """Sends a 200."""
        exchange.answer(200, self._lines(content_type, prediction_id), body, last=self.draining)

    def refuse(self, exchange: Exchange, refusal: Refusal, prediction_id: str = "") -> None:
        """Sends a refusal: its sentence, and the field that it is about."""
        content = {"error": refusal.message}
        if refusal.field:
            content["field"] = refusal.field
        if prediction_id:
            content["prediction_id"] = prediction_id
        head = self._lines(JSON, prediction_id)
        head += b"".join(f"{name}: {value}\r\n".encode() for name, value in refusal.headers.items())
        # 408: the client is still sending, and 413: it is about to send what nobody will read.
        last = self.draining or refusal.status in (408, 413)
        exchange.answer(refusal.status, head, msgspec.json.encode(content), last=last)

    def _lines(self, content_type: bytes, prediction_id: str) -> bytes:
        if not prediction_id:
            return b"%b%b\r\n" % (self._head, content_type)
        return b"%b%b\r\n%b%b\r\n" % (self._head, content_type, _ID, prediction_id.encode())


_ID: Final = f"{pod.PREDICTION_ID_HEADER}: ".encode()
