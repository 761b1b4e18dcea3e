"""Rows as requests: what a client would send of a bundle's golden rows, as whole HTTP requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tidegate.golden import Golden
from tidegate.signature import SENT_AS, Signature


def build_requests(model: str, signature: Signature, golden: Golden, *, rows: int = 1) -> list[bytes]:
    """One Open Inference Protocol request for each `rows` golden rows; these come again where they don't fill one."""
    requests = []
    for first in range(0, len(golden.rows), rows):
        picked = [golden.rows[(first + offset) % len(golden.rows)] for offset in range(rows)]
        requests.append(_build_request(model, build_body(signature, golden.features, picked)))
    return requests


def build_body(signature: Signature, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """The body of one such request."""
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    inputs = [
        {
            "name": feature.name,
            "shape": [len(rows)],
            "datatype": SENT_AS[feature.kind],
            "data": columns[feature.name],
        }
        for feature in signature.features
    ]
    return msgspec.json.encode({"inputs": inputs})


def _build_request(model: str, body: bytes) -> bytes:
    head = (
        f"POST /v2/models/{model}/infer HTTP/1.1\r\nhost: predictor\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
