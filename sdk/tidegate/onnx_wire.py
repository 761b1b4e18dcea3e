"""What an ONNX file asks of who loads it: operators from elsewhere, and other files; read from its bytes alone.

Neither a laptop that verifies a bundle nor the predictor needs the onnx package for that: a file is a tree of protocol
buffers, of which only the names below matter. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Buffer = memoryview

_CHILDREN: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "external"},
    "external": {},
}
_NODE_OPERATOR, _NODE_DOMAIN = 4, 7
_FUNCTION_NAME, _FUNCTION_DOMAIN = 1, 10
_TENSOR_NAME, _TENSOR_LOCATION = 8, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2

# A tree ensemble is a few attributes of a million numbers and short strings each, every one with a tag of its own:
# step by step they would take seconds.
_RUN: Final = re.compile(
    rb"(?:\x3d.{4}|\x40[\x80-\xff]{0,9}[\x00-\x7f]|\x4a(?:"
    + b"|".join(b"%b.{%d}" % (re.escape(bytes([size])), size) for size in range(33))
    + rb"))+",
    re.DOTALL,
)

_OWN_DOMAINS: Final = frozenset(
    {
        "",
        "ai.onnx",
        "ai.onnx.ml",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "ai.onnx.training",
        "com.microsoft",
        "com.microsoft.experimental",
        "com.microsoft.nchwc",
        "com.ms.internal.nhwc",
        "org.pytorch.aten",
    }
)
"""Whose operators ONNX Runtime brings itself."""


class NoOnnxError(ValueError):
    """The bytes are no ONNX file; the message says where they stop making sense."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator that a graph uses."""

    domain: str
    name: str


@dataclass(frozen=True, slots=True)
class Demands:
    """What a file asks for that is not in it."""

    operators: tuple[Operator, ...]
    """Neither ONNX Runtime's own nor functions of the file."""
    external: tuple[tuple[str, str], ...]
    """Tensors that lie in other files: name and place."""


def read_demands(content: Buffer) -> Demands:
    """Walks the whole file.

    Raises:
        NoOnnxError: It is none.
    """
    used: dict[Operator, None] = {}
    own: set[Operator] = set()
    external: list[tuple[str, str]] = []
    graphs = 0
    pending: list[tuple[str, Buffer]] = [("model", content)]
    while pending:
        kind, message = pending.pop()
        fields, children = _split(kind, message)
        graphs += kind == "graph"
        match kind:
            case "node":
                used[Operator(_text(fields, _NODE_DOMAIN), _text(fields, _NODE_OPERATOR))] = None
            case "function":
                own.add(Operator(_text(fields, _FUNCTION_DOMAIN), _text(fields, _FUNCTION_NAME)))
            case "tensor" if children or fields.get(_TENSOR_LOCATION):
                external.append((_text(fields, _TENSOR_NAME), _location(children)))
                continue
        pending += children
    if not graphs:
        raise NoOnnxError("there is no graph in it")
    foreign = [operator for operator in used if operator.domain not in _OWN_DOMAINS and operator not in own]
    return Demands(tuple(sorted(foreign, key=lambda one: (one.domain, one.name))), tuple(external))


def _split(kind: str, message: Buffer) -> tuple[dict[int, int | Buffer], list[tuple[str, Buffer]]]:
    """Gives a message's single fields, the last one of each number, and its children."""
    fields: dict[int, int | Buffer] = {}
    children = []
    known = _CHILDREN[kind]
    for number, value in _fields(message):
        child = known.get(number)
        if child is None:
            fields[number] = value
        elif isinstance(value, int):
            raise NoOnnxError(f"a {kind} has a number where a {child} belongs")
        else:
            children.append((child, value))
    return fields, children


def _fields(message: Buffer) -> Iterator[tuple[int, int | Buffer]]:
    place, end = 0, len(message)
    while place < end:
        run = _RUN.match(message, place)
        if run is not None and run.end() - place > 64:
            place = run.end()
            continue
        tag, place = _varint(message, place)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise NoOnnxError(f"a field has the number 0 at byte {place}")
        match wire:
            case 0:
                value, place = _varint(message, place)
                yield number, value
                continue
            case 1:
                size = 8
            case 2:
                size, place = _varint(message, place)
            case 5:
                size = 4
            case _:
                raise NoOnnxError(f"a field is of no known kind at byte {place}")
        if place + size > end:
            raise NoOnnxError("it ends too early")
        yield number, message[place : place + size]
        place += size


def _varint(message: Buffer, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise NoOnnxError("it ends too early")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise NoOnnxError(f"a number is too long at byte {place}")


def _text(fields: dict[int, int | Buffer], number: int) -> str:
    value = fields.get(number, 0)
    return "" if isinstance(value, int) else bytes(value[:200]).decode(errors="replace")


def _location(entries: list[tuple[str, Buffer]]) -> str:
    for kind, entry in entries:
        fields, _ = _split(kind, entry)
        if _text(fields, _ENTRY_KEY) == "location":
            return _text(fields, _ENTRY_VALUE)
    return ""
