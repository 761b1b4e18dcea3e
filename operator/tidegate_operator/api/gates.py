"""Gates in a spec: the very types that `tidegate check` reads, with a schema that admission holds them to.

What a gate is stands once, in `tidegate.gates`; here it gets sentences for what else would be a bare pattern.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Annotated, Any, Final

import msgspec
from pydantic import PlainSerializer, PlainValidator

from tidegate import expectations, gates, quantities
from tidegate.gates import Gate
from tidegate_operator.api.fields import refuse_unless

MOST_GATES: Final = 20
_LONGEST: Final = 1024
"""Characters of a string without a bound of its own: columns and URIs are shorter."""

# What to write instead, by the pattern that it missed; a pattern that is new has to get its sentence.
_SENTENCES: Final = {
    quantities.DURATION: 'write a duration such as "500ms", "30s" or "1m30s"',
    gates.NUMBER: 'write a decimal number as text, such as "0.85"',
    quantities.PERCENTAGE: 'write a percentage with its sign, such as "1%" or "0.5%"',
    quantities.AGE: 'write an age in days or hours, such as "30d" or "36h"',
    gates.SHARE: 'write a share of less than 100 with its sign, such as "10%"',
    gates.NAME: 'write a name of at most 63 lower-case letters, digits and "-", such as "predicts-well"',
    expectations.MOVE: 'write how far the number moves, such as "10%", "-10%" or "500"',
    expectations.MARGIN: 'write a difference as text, such as "0.01"',
    expectations.EXCEPTIONS: 'write a share of the rows with its sign, such as "0.5%"',
}
_PATTERN_LENGTH: Final = 64
"""Characters that any of these patterns takes at most."""
# What `__post_init__` says in Python, in CEL.
_RULES: Final = {
    "Gate": (
        (
            "[has(self.performance), has(self.serving), has(self.dataQuality), has(self.behaviour), "
            "has(self.contract), has(self.job)].exists_one(kind, kind)"
        ),
        (
            "a gate has exactly one of performance, serving, dataQuality, behaviour, contract and job; write two gates "
            "for two of them"
        ),
    ),
    "DataQualityGate": (
        "(has(self.timeColumn) && self.timeColumn != '') == has(self.notOlderThan)",
        "timeColumn and notOlderThan are written together, or neither of them",
    ),
    "Expectation": (
        (
            "!(has(self.by) && has(self.to) && self.to.size() > 0) && "
            "(self.answer == 'Same' || has(self.by) || (has(self.to) && self.to.size() > 0))"
        ),
        "an expectation has by or to, not both; NotLower and NotHigher need one of them",
    ),
}

Schema = dict[str, Any]


def _build_schema() -> Schema:
    """The schema of the list, with references resolved."""
    (_,), parts = msgspec.json.schema_components([Gate], ref_template="{name}")
    types = {one.__name__: one for one in _find_structs(Gate)}
    for name, part in parts.items():
        if name in types:
            _describe(part, types[name])
    return {
        "type": "array",
        "items": _resolve(parts["Gate"], parts),
        "maxItems": MOST_GATES,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }


def _find_structs(struct: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """A struct and all that its fields are made of."""
    found: set[type[msgspec.Struct]] = {struct}
    pending = [msgspec.inspect.type_info(struct)]
    while pending:
        info = pending.pop()
        if isinstance(info, msgspec.inspect.StructType):
            found.add(info.cls)
            pending += [field.type for field in info.fields]
        elif isinstance(info, msgspec.inspect.UnionType):
            pending += info.types
        elif isinstance(info, msgspec.inspect.VarTupleType):
            pending.append(info.item_type)
    return found


def _describe(part: Schema, struct: type[msgspec.Struct]) -> None:
    """Puts into a struct's schema what its source says of each field, and the rule that its fields have together."""
    names = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
    for field, words in _read_docs(struct).items():
        if field in names:
            part["properties"][names[field]]["description"] = words
    if rule := _RULES.get(struct.__name__):
        part.update(refuse_unless(rule))


def _read_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The strings that stand below the fields of a class, those of its bases too."""
    found: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if not issubclass(one, msgspec.Struct) or one is msgspec.Struct:
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                assert isinstance(field.target, ast.Name)
                assert isinstance(below.value, ast.Constant)
                found[field.target.id] = str(below.value.value)
    return found


def _resolve(schema: Schema, parts: dict[str, Schema]) -> Schema:
    """A schema without references and without null, whose strings are bounded and have sentences for patterns."""
    if "anyOf" in schema:
        (present,) = (one for one in schema["anyOf"] if one != {"type": "null"})
        return _resolve({**present, **{key: value for key, value in schema.items() if key != "anyOf"}}, parts)
    if "$ref" in schema:
        own = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolve({**parts[schema["$ref"]], **own}, parts)
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {name: _resolve(one, parts) for name, one in found["properties"].items()}
    if "items" in found:
        found["items"] = _resolve(found["items"], parts)
    if "enum" in found:
        found["type"] = "string"
    elif found.get("type") == "string":
        _bound(found)
    if found.get("default") == "":
        del found["default"]  # absent means the same, and stands in nobody's diff
    return found


def _bound(schema: Schema) -> None:
    """In CEL, not in the schema's `pattern`: there the API server would answer with the bare expression."""
    if pattern := schema.pop("pattern", ""):
        schema["maxLength"] = _PATTERN_LENGTH
        schema.update(refuse_unless((f"self.matches(r'{pattern}')", _SENTENCES[pattern])))
    schema.setdefault("maxLength", _LONGEST)


class _Described:
    """Builds the schema when it is asked for: an operator that runs needs none, and no source of any class."""

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> Schema:
        """See pydantic."""
        return _build_schema()


def _read(value: object) -> tuple[Gate, ...]:
    try:
        return msgspec.convert(value, tuple[Gate, ...])
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


Gates = Annotated[
    tuple[Gate, ...],
    PlainValidator(_read),
    PlainSerializer(msgspec.to_builtins),
    _Described(),
]
