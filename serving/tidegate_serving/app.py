"""The application: which path is answered by what, over RSGI."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined] # re-exported without saying so

from tidegate import pod
from tidegate.counts import SNAPSHOT_PATH, Snapshot
from tidegate.version import VERSION
from tidegate_serving.admission import Admission, fit_bounds
from tidegate_serving.errors import ClientGone, NotFinite, Refusal
from tidegate_serving.memory import read_room
from tidegate_serving.metrics import METRICS_TYPE, exposition
from tidegate_serving.prediction_id import new_prediction_id
from tidegate_serving.predictor import Codec, Predictor
from tidegate_serving.settings import Settings
from tidegate_serving.tallies import Outcome, RequestTallies, RowTallies, take_snapshot

_LOG = logging.getLogger(__name__)

INLINE_BYTES: Final = 16 << 10
"""Bodies up to this size are answered on the event loop, larger ones in a thread. A row of 30 features has about
1 KiB and costs less than handing it over would; 16 KiB hold the loop, and with it the probes, a few milliseconds."""

CodecOf = Callable[[Predictor], Codec[Any]]

_JSON: Final = "application/json"


class Application:
    """Answers requests; before `serve` and without a model, only that it is alive."""

    def __init__(self, settings: Settings) -> None:
        self.admission = Admission(settings)
        self.requests = RequestTallies()
        self.rows: RowTallies | None = None
        self.draining = False
        self.leaving = False
        self._settings = settings
        self._predictor: Predictor | None = None
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="predict")
        name = settings.model
        self._predicts: dict[str, CodecOf] = {
            f"/v2/models/{name}/infer": lambda predictor: predictor.v2,
            f"/v1/models/{name}:predict": lambda predictor: predictor.v1,
        }
        self._reads: dict[str, Callable[[], tuple[bytes, str]]] = {
            pod.LIVE_PATH: lambda: _json({"live": True}),
            pod.ROUTER_PATH + settings.revision: self._routable,
            pod.READY_PATH: lambda: _json({"ready": bool(self._ready())}),
            "/v2": lambda: _json({"name": "tidegate", "version": VERSION, "extensions": []}),
            f"/v2/models/{name}": lambda: _json(self._ready().v2.metadata()),
            f"/v2/models/{name}/ready": lambda: _json({"name": name, "ready": bool(self._ready())}),
            "/v1/models": lambda: _json({"models": [name]}),
            f"/v1/models/{name}": lambda: _json({"name": name, "ready": bool(self._ready())}),
            SNAPSHOT_PATH: lambda: _json(self.snapshot()),
            "/metrics": lambda: (self._metrics(), METRICS_TYPE),
        }

    def serve(self, predictor: Predictor) -> None:
        """Makes the model the one that answers."""
        self.admission.bounds = fit_bounds(self._settings, read_room(self._settings.memory_bytes))
        self.rows = RowTallies(predictor.bins)
        self._predictor = predictor

    def snapshot(self) -> Snapshot:
        """Gives what was counted up to now."""
        return take_snapshot(
            self.requests, self.rows, revision=self._settings.revision, digest=self._settings.digest
        )

    def _metrics(self) -> bytes:
        return exposition(self.snapshot(), self.requests, self._settings, in_flight=self.admission.requests)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answers one request."""
        path = scope.path
        if path not in self._predicts and "%" in path:
            path = unquote(path)
        codec_of = self._predicts.get(path)
        if codec_of is not None or path.endswith(("/infer", ":predict")):
            await self._predict(codec_of, scope, protocol, path)
        else:
            self._read(scope, protocol, path)

    def _routable(self) -> tuple[bytes, str]:
        if self.leaving:
            raise Refusal(503, "leaving: this process ends in a few seconds")
        return _json({"routable": bool(self._ready())})

    def _read(self, scope: Scope, protocol: HTTPProtocol, path: str) -> None:
        try:
            read = self._reads.get(path)
            if read is None:
                raise self._unknown(path)
            _require_method(scope, "GET")
            body, content_type = read()
            protocol.response_bytes(200, self._headers(content_type), body)
        except Refusal as refusal:
            self._refuse(protocol, refusal)

    async def _predict(
        self, codec_of: CodecOf | None, scope: Scope, protocol: HTTPProtocol, path: str
    ) -> None:
        prediction_id = new_prediction_id()
        started = time.perf_counter()
        outcome: Outcome = "failed"
        try:
            if codec_of is None:
                raise self._unknown(path)
            _require_method(scope, "POST")
            _require_json(scope)
            body = await self._answer(codec_of, scope, protocol, prediction_id)
            protocol.response_bytes(200, self._headers(_JSON, prediction_id), body)
            outcome = "ok"
        except Refusal as refusal:
            outcome = "overloaded" if refusal.status in (429, 503) else "invalid"
            self._refuse(protocol, refusal, prediction_id)
        except ClientGone:
            outcome = "invalid"
        except NotFinite as error:
            self.requests.not_finite += error.rows
            self._refuse(protocol, Refusal(500, str(error)), prediction_id)
        except Exception:  # noqa: BLE001 - whatever it was, the caller gets a sentence and no traceback
            _LOG.exception("prediction %s failed", prediction_id)
            self._refuse(protocol, Refusal(500, "the model failed on this request"), prediction_id)
        finally:
            self.requests.record(outcome, time.perf_counter() - started)

    async def _answer(
        self, codec_of: CodecOf, scope: Scope, protocol: HTTPProtocol, prediction_id: str
    ) -> bytes:
        predictor = self._ready()
        codec = codec_of(predictor)
        slot = self.admission.enter()
        try:
            body = await self.admission.read_body(scope, protocol, slot)
            rows = self.rows
            assert rows is not None  # a predictor comes with its tallies
            if len(body) <= INLINE_BYTES:
                prediction = predictor.predict(codec, body, prediction_id)
                rows.note(prediction.feeds, prediction.values)
            else:
                loop = asyncio.get_running_loop()
                prediction, counted = await loop.run_in_executor(
                    self._threads, predictor.predict_and_count, codec, body, prediction_id
                )
                rows.add(counted, len(prediction.values))
            return prediction.body
        finally:
            self.admission.leave(slot)

    def _ready(self) -> Predictor:
        if self._predictor is None:
            raise Refusal(503, "not ready: the model is being loaded", headers={"retry-after": "1"})
        return self._predictor

    def _unknown(self, path: str) -> Refusal:
        name = self._settings.model
        parts = path.split("/")
        if len(parts) > 3 and parts[1] in ("v1", "v2") and parts[2] == "models":
            asked = parts[3].removesuffix(":predict")
            if asked != name:
                return Refusal(404, f"model '{asked[:100]}' is not served here; this is '{name}'")
        return Refusal(404, f"nothing is served at {path[:200]}; predictions are at /v2/models/{name}/infer")

    def _refuse(self, protocol: HTTPProtocol, refusal: Refusal, prediction_id: str = "") -> None:
        content = {"error": refusal.message}
        if refusal.field:
            content["field"] = refusal.field
        if prediction_id:
            content["prediction_id"] = prediction_id
        headers = self._headers(_JSON, prediction_id)
        headers.extend(refusal.headers.items())
        protocol.response_bytes(refusal.status, headers, msgspec.json.encode(content))

    def _headers(self, content_type: str, prediction_id: str = "") -> list[tuple[str, str]]:
        headers = [("content-type", content_type), (pod.REVISION_HEADER, self._settings.revision)]
        if prediction_id:
            headers.append((pod.PREDICTION_ID_HEADER, prediction_id))
        if self.draining:
            # Without it, a client would send its next request on a connection that is about to be closed.
            headers.append(("connection", "close"))
        return headers


def _json(content: object) -> tuple[bytes, str]:
    return msgspec.json.encode(content), _JSON


def _require_method(scope: Scope, method: str) -> None:
    if scope.method != method and not (method == "GET" and scope.method == "HEAD"):
        raise Refusal(405, f"{scope.method} is not answered here, {method} is", headers={"allow": method})


def _require_json(scope: Scope) -> None:
    content_type = scope.headers.get("content-type") or _JSON
    if content_type.partition(";")[0].strip().lower() != _JSON:
        raise Refusal(415, f"the body is sent as '{content_type[:100]}', but Content-Type: {_JSON} is needed")
    encoding = scope.headers.get("content-encoding") or "identity"
    if encoding != "identity" or "inference-header-content-length" in scope.headers:
        raise Refusal(415, "the body is compressed or holds binary tensors, but plain JSON is needed")
