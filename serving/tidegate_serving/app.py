"""The application: which path is answered by what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import msgspec

from tidegate import pod
from tidegate.counts import SNAPSHOT_PATH, Snapshot
from tidegate.loaded import BUNDLE_PATH, LoadedBundle
from tidegate.version import VERSION
from tidegate_serving import openapi
from tidegate_serving.answers import JSON, Answering
from tidegate_serving.errors import Refusal
from tidegate_serving.exchange import Exchange
from tidegate_serving.facts import FACTS_PATH, ProcessFacts, read_age, read_peak
from tidegate_serving.metrics import METRICS_TYPE, exposition
from tidegate_serving.predictions import CodecOf, Predictions
from tidegate_serving.predictor import Predictor
from tidegate_serving.settings import Settings
from tidegate_serving.tallies import take_snapshot

Read = Callable[[], tuple[bytes, bytes]]
"""Gives a body and its content type."""

_METRICS: Final = METRICS_TYPE.encode()


class Application:
    """Answers requests; before `serve` and without a model, only that it is alive."""

    def __init__(self, settings: Settings) -> None:
        self.leaving = False
        self._ready_seconds = 0.0
        self._loaded: LoadedBundle | None = None
        self._settings = settings
        self._answering = Answering(settings.revision)
        self._predictions = Predictions(settings, self._answering)
        name = settings.model
        self._predicts: dict[bytes, CodecOf] = {
            f"/v2/models/{name}/infer".encode(): lambda predictor: predictor.v2,
            f"/v1/models/{name}:predict".encode(): lambda predictor: predictor.v1,
        }
        ready = self._predictions.ready
        self._reads: dict[str, Read] = {
            pod.LIVE_PATH: lambda: _json({"live": True}),
            pod.ROUTER_PATH + settings.revision: self._routable,
            pod.READY_PATH: lambda: _json({"ready": bool(ready())}),
            "/v2": lambda: _json({"name": "tidegate", "version": VERSION, "extensions": []}),
            f"/v2/models/{name}": lambda: _json(ready().v2.metadata()),
            f"/v2/models/{name}/ready": lambda: _json({"name": name, "ready": bool(ready())}),
            "/v1/models": lambda: _json({"models": [name]}),
            f"/v1/models/{name}": lambda: _json({"name": name, "ready": bool(ready())}),
            openapi.PATH: lambda: _json(ready().document),
            SNAPSHOT_PATH: lambda: _json(self.snapshot()),
            FACTS_PATH: lambda: _json(self._facts()),
            BUNDLE_PATH: lambda: _json(ready() and self._loaded),
            "/metrics": lambda: (self._metrics(), _METRICS),
        }

    def serve(self, predictor: Predictor, loaded: LoadedBundle) -> None:
        """Makes the model the one that answers."""
        self._loaded = loaded
        self._predictions.serve(predictor)
        self._ready_seconds = read_age()

    def drain(self) -> None:
        """Asks every client to go elsewhere with its next connection."""
        self._answering.draining = True

    def snapshot(self) -> Snapshot:
        """Gives what was counted up to now."""
        counted = self._predictions
        return take_snapshot(
            counted.requests, counted.rows, revision=self._settings.revision, digest=self._settings.digest
        )

    # The server calls these.

    def begin(self, exchange: Exchange) -> None:
        """Begins what asks for a prediction; the rest is answered at its end, whatever its body."""
        codec_of = self._predicts.get(exchange.target)
        if codec_of is not None:
            self._predictions.begin(exchange, codec_of)
            return
        path = _path(exchange.target)
        codec_of = self._predicts.get(path.encode())
        if codec_of is not None:
            self._predictions.begin(exchange, codec_of)
        elif path.endswith(("/infer", ":predict")):
            self._predictions.refuse(exchange, self._unknown(path))

    def part(self, exchange: Exchange, part: bytes) -> None:
        """Takes some of a body."""
        if exchange.context is not None:
            self._predictions.part(exchange.context, part)

    def end(self, exchange: Exchange) -> None:
        """Answers a whole request."""
        if exchange.context is not None:
            self._predictions.end(exchange.context)
        else:
            self._read(exchange, _path(exchange.target))

    def late(self, exchange: Exchange) -> None:
        """Refuses a request that takes too long."""
        if exchange.context is not None:
            self._predictions.late(exchange.context)
        else:
            self._answering.refuse(exchange, Refusal(408, "the request took too long to arrive"))

    def gone(self, exchange: Exchange) -> None:
        """Forgets a request that will never be whole."""
        if exchange.context is not None:
            self._predictions.gone(exchange.context)

    def _read(self, exchange: Exchange, path: str) -> None:
        try:
            read = self._reads.get(path)
            if read is None:
                raise self._unknown(path)
            if exchange.method not in (b"GET", b"HEAD"):
                method = exchange.method.decode()
                raise Refusal(405, f"{method} is not answered here, GET is", headers={"allow": "GET"})
            body, content_type = read()
        except Refusal as refusal:
            self._answering.refuse(exchange, refusal)
        else:
            self._answering.send(exchange, body, content_type)

    def _routable(self) -> tuple[bytes, bytes]:
        if self.leaving:
            raise Refusal(503, "leaving: this process ends in a few seconds")
        return _json({"routable": bool(self._predictions.ready())})

    def _facts(self) -> ProcessFacts:
        return ProcessFacts(
            process=self._predictions.requests.process,
            ready_seconds=round(self._ready_seconds, 3),
            peak_memory_bytes=read_peak(),
            memory_limit_bytes=self._settings.memory_bytes or 0,
            threads=self._settings.threads,
        )

    def _metrics(self) -> bytes:
        counted = self._predictions
        in_flight = counted.admission.requests
        return exposition(self.snapshot(), counted.requests, self._settings, in_flight=in_flight)

    def _unknown(self, path: str) -> Refusal:
        name = self._settings.model
        parts = path.split("/")
        if len(parts) > 3 and parts[1] in ("v1", "v2") and parts[2] == "models":
            asked = parts[3].removesuffix(":predict")
            if asked != name:
                return Refusal(404, f"model '{asked[:100]}' is not served here; this is '{name}'")
        return Refusal(404, f"nothing is served at {path[:200]}; predictions are at /v2/models/{name}/infer")


def _json(content: object) -> tuple[bytes, bytes]:
    return msgspec.json.encode(content), JSON


def _path(target: bytes) -> str:
    """Gives the path of a request's target, which a proxy's client sends with scheme and host before it."""
    text = target.partition(b"?")[0].decode("latin-1")
    if not text.startswith("/"):
        text = "/" + text.partition("://")[2].partition("/")[2]
    return unquote(text)
