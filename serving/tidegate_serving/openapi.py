"""The OpenAPI document of one model: which requests it takes and what it answers, made from its signature."""

from __future__ import annotations

from typing import Any, Final

from tidegate import pod
from tidegate.columns import INTEGER_LIMIT, largest_number
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor
from tidegate_serving.v2 import DATATYPES

PATH: Final = "/openapi.json"

Schema = dict[str, Any]

_FAILURES: Final = {
    "400": "The body can't be answered; the sentence says which field, and what is needed.",
    "405": "The method is another one than the path's; the header Allow has it.",
    "408": "The body took too long to arrive.",
    "413": "The body is too large; the sentence says how large one may be.",
    "415": "The body is no plain JSON by its headers.",
    "429": "Too much is in flight; try again after the header Retry-After.",
    "500": "The model failed, or its answer is not a finite number.",
    "503": "The model is being loaded.",
}
_ERROR: Final = "#/components/schemas/Error"


def build_document(signature: Signature, *, model: str, revision: str) -> Schema:
    """Gives the document for the paths that callers use; what routers and scrapers ask is not in it."""
    v2, v1 = f"/v2/models/{model}", f"/v1/models/{model}"
    ready = _object({"name": {"const": model}, "ready": {"const": True}})
    reads = {
        "/v2": (
            "Name and version of the server",
            _object({"name": _TEXT, "version": _TEXT, "extensions": {}}),
        ),
        pod.LIVE_PATH: ("Whether the process is alive", _object({"live": {"const": True}})),
        pod.READY_PATH: ("Whether the model answers", _object({"ready": {"const": True}})),
        v2: ("The model's inputs and outputs as tensors", {"type": "object"}),
        f"{v2}/ready": ("Whether this model answers", ready),
        "/v1/models": ("The models served here", _object({"models": {"const": [model]}})),
        v1: ("Whether this model answers", ready),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Predictions of {model}",
            "version": revision,
            "description": "Rows in, predictions out. Every answer carries the id of its prediction and the revision.",
        },
        "paths": {
            f"{v2}/infer": _post("infer", _v2_request(signature), _v2_answer(signature, model, revision)),
            f"{v1}:predict": _post("predict", _v1_request(signature), _v1_answer(signature, revision)),
            **{path: _get(summary, schema) for path, (summary, schema) in reads.items()},
        },
        "components": {"schemas": {"Error": _object({"error": _TEXT}, field=_TEXT, prediction_id=_TEXT)}},
    }


_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 1}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": required | optional}


def _post(name: str, request: Schema, answer: Schema) -> Schema:
    summary = "Predict by the Open Inference Protocol" if name == "infer" else "Predict by rows"
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "requestBody": {"required": True, "content": _json(request)},
            "responses": {"200": _response("The predictions.", answer)} | _failures(*_FAILURES),
        }
    }


def _get(summary: str, schema: Schema) -> Schema:
    return {
        "get": {
            "summary": summary,
            "responses": {"200": _response("Yes.", schema)} | _failures("405", "503"),
        }
    }


def _failures(*statuses: str) -> dict[str, Schema]:
    return {status: _response(_FAILURES[status], {"$ref": _ERROR}) for status in statuses}


def _response(description: str, schema: Schema) -> Schema:
    headers = {pod.REVISION_HEADER: {"description": "Which revision answered.", "schema": _TEXT}}
    return {"description": description, "headers": headers, "content": _json(schema)}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _v1_request(signature: Signature) -> Schema:
    tensors = {tensor.name: tensor for tensor in signature.inputs}
    values = {feature.name: _value(feature, tensors[feature.tensor]) for feature in signature.features}
    width = len(values)
    by_name = {**_object(values), "additionalProperties": False}
    by_place = {
        "type": "array",
        "description": f"The values in this order: {', '.join(values)}.",
        "prefixItems": list(values.values()),
        "minItems": width,
        "maxItems": width,
    }
    return _object({"instances": {"type": "array", "minItems": 1, "items": {"anyOf": [by_name, by_place]}}})


def _v2_request(signature: Signature) -> Schema:
    data: Schema = {"type": "array", "description": "Flat, or one array a row."}
    shape = {"type": "array", "minItems": 1, "maxItems": 2, "items": _COUNT}
    tensor = _object({"name": _TEXT, "shape": shape, "datatype": {"enum": sorted(DATATYPES)}, "data": data})
    names = [output.name for output in signature.outputs]
    wanted = {"type": ["array", "null"], "items": _object({"name": {"enum": names}})}
    inputs = {
        "type": "array",
        "minItems": 1,
        "items": tensor,
        "description": "One tensor for each of these features, [rows] long: "
        f"{', '.join(feature.name for feature in signature.features)}. Or as matrices, as the model takes them: "
        f"{', '.join(f'{matrix.name} [rows, {max(1, matrix.width)}]' for matrix in signature.inputs)}.",
    }
    return _object({"inputs": inputs}, id={"type": ["string", "null"]}, outputs=wanted)


def _value(feature: Feature, tensor: Tensor) -> Schema:
    """Gives what one value of a feature may be."""
    alternatives = [_kind(feature.kind, largest_number(tensor.datatype))]
    if feature.kind is FeatureKind.BOOLEAN:
        alternatives.append({"enum": [0, 1]})
    if feature.kind is FeatureKind.CATEGORY:
        alternatives.append({"type": "integer", "description": "A code; taken as its digits."})
    if feature.nullable:
        alternatives.append({"type": "null", "description": "The value is missing."})
    schema = alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
    if feature.categories:
        seen = ", ".join(feature.categories[:20]) + (", …" if len(feature.categories) > 20 else "")
        schema = schema | {"description": f"Seen in training: {seen}. Others are answered too."}
    return schema


def _kind(kind: FeatureKind, largest: float) -> Schema:
    match kind:
        case FeatureKind.NUMBER:
            schema: Schema = {"type": "number", "minimum": -largest, "maximum": largest}
            return schema | {
                "description": f"Whole numbers up to ±{INTEGER_LIMIT}, beyond only as 1e20 or 1.0."
            }
        case FeatureKind.INTEGER:
            limit = int(min(largest, INTEGER_LIMIT))
            return {"type": "integer", "minimum": -limit, "maximum": limit}
        case FeatureKind.BOOLEAN:
            return {"type": "boolean"}
        case FeatureKind.STRING | FeatureKind.CATEGORY:
            return _TEXT


def _v1_answer(signature: Signature, revision: str) -> Schema:
    row = {output.name: _answer(signature, output) for output in signature.outputs}
    prediction = next(iter(row.values())) if len(row) == 1 else _object(row)
    return _object(
        {
            "predictions": {"type": "array", "minItems": 1, "items": prediction},
            "prediction_id": _TEXT,
            "revision": {"const": revision},
        }
    )


def _answer(signature: Signature, output: Tensor) -> Schema:
    """Gives what an output has for one row."""
    if output.datatype == "BYTES":
        return {"enum": list(signature.classes)} if signature.task is not Task.REGRESSION else _TEXT
    number = {"type": "integer" if output.datatype.startswith("INT") else "number"}
    if output.width:
        return {"type": "array", "items": number, "minItems": output.width, "maxItems": output.width}
    return number


def _v2_answer(signature: Signature, model: str, revision: str) -> Schema:
    outputs = [
        _object(
            {
                "name": {"const": output.name},
                "datatype": {"const": output.datatype},
                "shape": {"type": "array", "items": _COUNT},
                "data": {"type": "array", "minItems": 1},
            }
        )
        for output in signature.outputs
    ]
    return _object(
        {
            "model_name": {"const": model},
            "model_version": {"const": revision},
            "id": _TEXT,
            "parameters": _object({"prediction_id": _TEXT}),
            "outputs": {"type": "array", "items": {"anyOf": outputs}},
        }
    )
