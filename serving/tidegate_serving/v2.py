"""Open Inference Protocol v2 over JSON: requests to columns, answers to responses."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tidegate.columns import Feeds, InvalidInput, brief
from tidegate.signature import SENT_AS, Signature
from tidegate_serving.model import Answers
from tidegate_serving.plain import PlainRows
from tidegate_serving.unreadable import UNREADABLE

DATATYPES: Final = frozenset(
    (
        "BOOL",
        "UINT8",
        "UINT16",
        "UINT32",
        "UINT64",
        "INT8",
        "INT16",
        "INT32",
        "INT64",
        "FP16",
        "FP32",
        "FP64",
        "BYTES",
    )
)


class InputTensor(msgspec.Struct):
    """One input of a request; data may be flat or nested."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class WantedOutput(msgspec.Struct):
    """An output that the caller wants; the others are left out."""

    name: str


class Request(msgspec.Struct):
    """The body of `/infer`. Unknown fields, such as `parameters` for other servers, are let be."""

    inputs: Sequence[InputTensor]
    id: str | None = None
    outputs: list[WantedOutput] | None = None


class OutputTensor(msgspec.Struct):
    """One output of an answer; its data is flat."""

    name: str
    shape: tuple[int, ...]
    datatype: str
    data: list[Any]


class Response(msgspec.Struct):
    """The body of an answer."""

    model_name: str
    model_version: str
    id: str
    parameters: dict[str, str]
    outputs: list[OutputTensor]


class PlainTensor(InputTensor):
    """An input of nothing but numbers, row after row."""

    data: list[float]


class PlainRequest(Request):
    """A body whose inputs are such."""

    inputs: Sequence[PlainTensor]


class V2Codec:
    """Reads and writes the protocol for one signature."""

    def __init__(self, signature: Signature, plain: PlainRows, *, model: str, revision: str) -> None:
        self._signature = signature
        self._model = model
        self._revision = revision
        self._names = tuple(feature.name for feature in signature.features)
        self._known = frozenset(self._names)
        self._matrices = {
            tensor.name: tuple(
                feature.name
                for feature in sorted(signature.features, key=lambda feature: feature.column)
                if feature.tensor == tensor.name
            )
            for tensor in signature.inputs
        }
        self._outputs = tuple(output.name for output in signature.outputs)
        self._decoder = msgspec.json.Decoder(Request)
        self._encoder = msgspec.json.Encoder()
        self._plain = plain
        self._plain_decoder = msgspec.json.Decoder(PlainRequest)

    def read_plain(self, body: bytes) -> tuple[Request, Feeds] | None:
        """Parses a body that is one whole matrix of numbers."""
        if not self._plain.fits:
            return None
        try:
            request = self._plain_decoder.decode(body)
        except UNREADABLE:
            return None
        if request.outputs or len(request.inputs) != 1:
            return None
        tensor = request.inputs[0]
        if len(tensor.shape) != 2 or tensor.name in self._known or tensor.datatype not in DATATYPES:
            return None
        rows, width = tensor.shape
        feeds = self._plain.encode_flat(tensor.data, rows) if width == len(self._names) else None
        return None if feeds is None else (request, feeds)

    def read(self, body: bytes) -> Request:
        """Parses a body.

        Raises:
            msgspec.DecodeError: It is not JSON, or not a request.
            InvalidInput: It wants an output that there is not.
        """
        request = self._decoder.decode(body)
        for output in request.outputs or ():
            if output.name not in self._outputs:
                raise InvalidInput(
                    output.name,
                    f"output '{brief(output.name)}' is unknown; this model answers {list(self._outputs)}",
                )
        return request

    def columns(self, request: Request) -> dict[str, list[Any]]:
        """Gives the columns: of a tensor a feature, of a matrix under its tensor's name, or of one matrix alone.

        Raises:
            InvalidInput: A tensor's shape, datatype or name is not one of those.
        """
        columns: dict[str, list[Any]] = {}
        for tensor in request.inputs:
            flat = _flat(tensor)
            names = self._features_of(tensor, alone=len(request.inputs) == 1)
            width = len(names)
            for place, name in enumerate(names):
                if name in columns:
                    raise InvalidInput(name, f"feature '{name}' was sent twice")
                columns[name] = flat[place::width] if width > 1 else flat
        return columns

    def _features_of(self, tensor: InputTensor, *, alone: bool) -> tuple[str, ...]:
        width = tensor.shape[1] if len(tensor.shape) > 1 else 1
        if tensor.name in self._known and width == 1:
            return (tensor.name,)
        names = self._matrices.get(tensor.name)
        # Clients made for other servers send one matrix by any name, `input-0` say.
        if names is None and alone and tensor.name not in self._known:
            names = self._names
        if names is None:
            if tensor.name in self._known:
                raise InvalidInput(
                    tensor.name,
                    f"feature '{tensor.name}' has the shape {_shape(tensor)}, but [rows] is needed",
                )
            raise InvalidInput(
                tensor.name,
                f"input '{brief(tensor.name)}' is unknown to this model; its features are {_few(self._names)}",
            )
        if width != len(names):
            raise InvalidInput(
                tensor.name,
                f"input '{tensor.name}' has the shape {_shape(tensor)}, but [rows, {len(names)}] is needed: one "
                f"column for each of {_few(names)}",
            )
        return names

    def respond(self, request: Request, answers: Answers, prediction_id: str) -> bytes:
        """Writes the answers; `id` is the caller's own if there was one, and the prediction's otherwise."""
        wanted = None if request.outputs is None else {output.name for output in request.outputs}
        outputs = [
            OutputTensor(output.name, answer.shape, output.datatype, answer.ravel().tolist())
            for output, answer in zip(self._signature.outputs, answers, strict=True)
            if not wanted or output.name in wanted
        ]
        parameters = {"prediction_id": prediction_id}
        answered = request.id or prediction_id
        return self._encoder.encode(Response(self._model, self._revision, answered, parameters, outputs))

    def metadata(self) -> dict[str, Any]:
        """Gives what `/v2/models/{model}` answers: the features as callers send them, and the outputs."""
        return {
            "name": self._model,
            "versions": [self._revision],
            "platform": "onnx_onnxruntime",
            "inputs": [
                {"name": feature.name, "datatype": SENT_AS[feature.kind], "shape": [-1]}
                for feature in self._signature.features
            ],
            "outputs": [
                {
                    "name": output.name,
                    "datatype": output.datatype,
                    "shape": [-1, output.width] if output.width else [-1],
                }
                for output in self._signature.outputs
            ],
        }


def _flat(tensor: InputTensor) -> list[Any]:
    """Gives the data row after row, as many as the shape says."""
    if tensor.datatype not in DATATYPES:
        raise _refused(
            tensor,
            f"has the datatype '{brief(tensor.datatype)}', but one of FP64, FP32, INT64, BOOL and BYTES is needed",
        )
    if tensor.shape and tensor.shape[0] == 0:
        raise InvalidInput("", "no rows were sent, at least one is needed")
    if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 1:
        raise _refused(tensor, f"has the shape {_shape(tensor)}, but [rows] or [rows, columns] is needed")
    data = tensor.data
    if data and isinstance(data[0], list):
        data = [value for row in data for value in (row if isinstance(row, list) else [row])]
    needed = math.prod(tensor.shape)
    if len(data) != needed:
        # Python writes no integer of more than 4300 digits, and a caller may send two that long.
        shown = str(needed) if needed < sys.maxsize else "more than there can be"
        raise _refused(tensor, f"has {len(data)} values, but its shape {_shape(tensor)} needs {shown}")
    return data


def _refused(tensor: InputTensor, why: str) -> InvalidInput:
    return InvalidInput(tensor.name, f"input '{brief(tensor.name)}' {why}")


def _shape(tensor: InputTensor) -> str:
    shown = [brief(size) for size in tensor.shape[:8]]
    return f"[{', '.join(shown)}{', …' if len(tensor.shape) > 8 else ''}]"


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
