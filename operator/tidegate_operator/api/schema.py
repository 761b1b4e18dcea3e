"""From a pydantic model to a structural schema, the dialect of OpenAPI that a CRD may use."""

from __future__ import annotations

from typing import Any

from tidegate_operator.api.resource import Resource

Schema = dict[str, Any]

# Words of JSON Schema that a CRD refuses, or that say nothing there: unknown fields are refused or pruned anyway.
FOREIGN = ("title", "additionalProperties", "$defs")


def build_structural_schema(resource: type[Resource]) -> Schema:
    """The schema of a resource: references resolved, absence in place of null, defaults at each field."""
    whole = resource.model_json_schema(by_alias=True)
    schema = _structural(whole, whole.get("$defs", {}))
    schema["properties"] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        **schema["properties"],
        "metadata": {"type": "object"},
    }
    schema["required"] = ["spec"]
    if status := schema["properties"].get("status"):
        _keep_only_first_generation(status)
    return schema


def _structural(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    schema = _resolve(schema, definitions)
    kept = {key: value for key, value in schema.items() if key not in FOREIGN}
    if isinstance(text := kept.get("description"), str):
        kept["description"] = " ".join(text.split())
    if "properties" in kept:
        kept["properties"] = {
            name: _structural(part, definitions) for name, part in kept["properties"].items()
        }
    if isinstance(values := schema.get("additionalProperties"), dict):
        # Names are the user's own, such as those of labels. Elsewhere it says whether unknown fields are an error.
        kept["additionalProperties"] = _structural(values, definitions)
    if "items" in kept:
        kept["items"] = _structural(kept["items"], definitions)
        kept.setdefault("x-kubernetes-list-type", "atomic")
    if "default" in kept:
        # Whole even for objects whose fields have the same defaults: the API server holds CEL rules against it.
        kept["default"] = _without_empty(kept["default"])
        if kept["default"] in (None, []):
            del kept["default"]
    if kept.get("x-kubernetes-int-or-string"):
        del kept["type"]
        kept["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return kept


def _resolve(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """Follows a reference and strips `| None`; what stands at the field wins over what stands at the type."""
    if "anyOf" in schema:
        (present,) = [part for part in schema["anyOf"] if part != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return _resolve(present | rest, definitions)
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolve(definitions[schema["$ref"].rsplit("/", 1)[1]] | rest, definitions)
    return schema


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _without_empty(part) for key, part in value.items() if part not in (None, (), [], {})}
    if isinstance(value, list | tuple):
        return [_without_empty(part) for part in value]
    return value


def _keep_only_first_generation(status: Schema) -> None:
    """A default deep in status would be a claim about what nobody looked at; -1 says just that (kstatus)."""
    _strip_defaults(status)
    status["default"] = {"observedGeneration": -1}


def _strip_defaults(schema: Schema) -> None:
    schema.pop("default", None)
    for part in schema.get("properties", {}).values():
        _strip_defaults(part)
    if "items" in schema:
        _strip_defaults(schema["items"])
