"""The endpoints that callers use: what is asked of each, and what is wrong with an answer."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec

from tidegate import pod
from tidegate.contents import Contents
from tidegate.gate_report import Finding
from tidegate.golden import Golden
from tidegate.signature import Signature
from tidegate.verdict import Verdict
from tidegate_gates.load import ANSWER_SECONDS
from tidegate_gates.rows import build_body
from tidegate_serving import openapi
from tidegate_serving.plain import PlainRows
from tidegate_serving.v2 import Response, V2Codec

_SHOWN: Final = 200
"""Characters of an answer that a sentence repeats."""

FindFault = Callable[[Any], str]
"""From a decoded body to what is wrong with it, behind the words "it answers"; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Served:
    """A predictor that is ready, whoever runs it."""

    address: tuple[str, int]
    """Host and port."""
    model: str
    """The name that it serves the model under."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request, and what its answer must be."""

    name: str
    """Method and path, as sentences name it."""
    find_fault: FindFault
    body: bytes | None = None
    """Of a POST; none: a GET."""
    optional: bool = False
    """Whether it need not be there."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came."""

    status: int = 0
    content: bytes = b""
    failure: str = ""
    """Why nothing came."""


def build_endpoints(model: str, contents: Contents) -> tuple[Endpoint, ...]:
    """Every endpoint of both protocols; predictions are asked for with all golden rows."""
    signature, golden = contents.signature, contents.golden
    v2, v1 = f"/v2/models/{model}", f"/v1/models/{model}"
    metadata = V2Codec(signature, PlainRows(signature), model=model, revision="").metadata()
    described = {key: metadata[key] for key in ("name", "inputs", "outputs")}
    ready = _having({"name": model, "ready": True})
    predictions = partial(_find_v1_fault, signature, len(golden.rows))
    paths = [f"{v2}/infer", f"{v1}:predict"]
    return (
        Endpoint("GET /v2", _having({"name": "tidegate"})),
        Endpoint(f"GET {pod.LIVE_PATH}", _having({"live": True})),
        Endpoint(f"GET {pod.READY_PATH}", _having({"ready": True})),
        Endpoint(f"GET {v2}", _having(described)),
        Endpoint(f"GET {v2}/ready", ready),
        Endpoint(
            f"POST {v2}/infer",
            partial(_find_v2_fault, signature, model, len(golden.rows)),
            build_body(signature, golden.features, golden.rows),
        ),
        Endpoint("GET /v1/models", _having({"models": [model]})),
        Endpoint(f"GET {v1}", ready),
        Endpoint(
            f"POST {v1}:predict with rows as objects", predictions, _write_v1(golden, signature, by_name=True)
        ),
        Endpoint(
            f"POST {v1}:predict with rows as lists", predictions, _write_v1(golden, signature, by_name=False)
        ),
        Endpoint(f"GET {openapi.PATH}", partial(_find_absent, paths), optional=True),
    )


def ask_endpoints(served: Served, endpoints: Sequence[Endpoint]) -> tuple[Reply, ...]:
    """Asks each of them over a connection of its own."""
    return tuple(_ask(served.address, endpoint) for endpoint in endpoints)


def _ask(address: tuple[str, int], endpoint: Endpoint) -> Reply:
    method, path, *_ = endpoint.name.split(" ")
    connection = http.client.HTTPConnection(*address, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, endpoint.body, {"content-type": "application/json"})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read())
    except (OSError, http.client.HTTPException) as error:
        return Reply(failure=str(error) or type(error).__name__)
    finally:
        connection.close()


def judge_endpoints(endpoints: Sequence[Endpoint], replies: Sequence[Reply]) -> Iterator[Finding]:
    """What is wrong with the replies, or that nothing is. Pure."""
    absent = [
        one
        for one, reply in zip(endpoints, replies, strict=True)
        if one.optional and reply.status == http.client.NOT_FOUND
    ]
    bad = [
        Finding(one.name, Verdict.BAD, f"{one.name} {fault}")
        for one, reply in zip(endpoints, replies, strict=True)
        if one not in absent and (fault := _find_fault(one, reply))
    ]
    if not bad:
        words = f"all endpoints answer as the signature says ({len(endpoints) - len(absent)} requests)"
        without = "".join(f"; {one.name} is not there, and need not be" for one in absent)
        yield Finding("endpoints", Verdict.GOOD, words + without)
    yield from bad


def _find_fault(endpoint: Endpoint, reply: Reply) -> str:
    if reply.failure:
        return f"does not answer: {reply.failure}"
    shown = reply.content[:_SHOWN].decode(errors="replace")
    if reply.status != http.client.OK:
        return f"answers {reply.status}, and 200 is needed: {shown}"
    try:
        fault = endpoint.find_fault(msgspec.json.decode(reply.content))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return f"answers in another form ({error}): {shown}"
    return f"answers {fault}" if fault else ""


def _having(wanted: dict[str, Any]) -> FindFault:
    return partial(_find_other, wanted)


def _find_other(wanted: dict[str, Any], content: object) -> str:
    """Fields that are not asked for may be anything: a newer predictor may have more of them."""
    got = msgspec.convert(content, dict[str, Any])
    for name, value in wanted.items():
        if got.get(name) != value:
            return f"{name} {_shorten(got.get(name))}, and {_shorten(value)} is needed"
    return ""


def _find_v2_fault(signature: Signature, model: str, rows: int, content: object) -> str:
    got = msgspec.convert(content, Response)
    if got.model_name != model:
        return f"for {got.model_name[:_SHOWN]}, and not for {model}"
    needed = [
        f"{one.name} {one.datatype} {[rows, one.width] if one.width else [rows]}" for one in signature.outputs
    ]
    has = [f"{one.name} {one.datatype} {list(one.shape)}" for one in got.outputs]
    return "" if has == needed else f"{_shorten(', '.join(has))}, and {_shorten(', '.join(needed))} is needed"


class _V1Response(msgspec.Struct):
    predictions: list[Any]
    prediction_id: str
    revision: str


def _find_v1_fault(signature: Signature, rows: int, content: object) -> str:
    got = msgspec.convert(content, _V1Response).predictions
    if len(got) != rows:
        return f"{len(got)} predictions for {rows} rows"
    outputs = {one.name: one.width for one in signature.outputs}
    for one in got:
        values = dict(zip(outputs, [one], strict=True)) if len(outputs) == 1 else one
        if not isinstance(values, dict) or values.keys() != outputs.keys():
            return f"{_shorten(one)} for a row, and {', '.join(outputs)} is needed"
        for name, value in values.items():
            if (len(value) if isinstance(value, list) else 0) != outputs[name]:
                return f"{_shorten(value)} as {name}, and {outputs[name] or 'one'} a row is needed"
    return ""


def _find_absent(paths: Sequence[str], content: object) -> str:
    described = msgspec.convert(content, dict[str, Any]).get("paths", {})
    absent = [path for path in paths if path not in described]
    return f"a document without {', '.join(absent)}" if absent else ""


def _write_v1(golden: Golden, signature: Signature, *, by_name: bool) -> bytes:
    named = [dict(zip(golden.features, row, strict=True)) for row in golden.rows]
    listed = [[row[feature.name] for feature in signature.features] for row in named]
    return msgspec.json.encode({"instances": named if by_name else listed})


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
