"""Writes docs/reference/resources.md from the models: `python -m tidegate_operator.api.reference [--check]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tidegate_operator.api.crd import KINDS, Kind
from tidegate_operator.api.resource import API_VERSION
from tidegate_operator.api.schema import Schema, build_structural_schema

TARGET = "docs/reference/resources.md"
HEADER = f"""\
<!-- Generated from operator/tidegate_operator/api by `python -m tidegate_operator.api.reference`; change it there. -->
# Resources

Group and version: `{API_VERSION}`. `kubectl explain modeldeployment.spec` says the same on the command line.
"""


def build_page() -> str:
    """The reference of all kinds as one page of Markdown."""
    return HEADER + "".join(_build_section(kind) for kind in KINDS)


def _build_section(kind: Kind) -> str:
    schema = build_structural_schema(kind.resource)
    parts = [f"\n## {kind.resource.__name__}\n\n{schema['description']} Short name: `{kind.short}`.\n"]
    for part in ("spec", "status"):
        if part in schema["properties"]:
            rows = "".join(_walk(part, schema["properties"][part]))
            parts.append(f"\n| field | type | default | meaning |\n|---|---|---|---|\n{rows}")
    if sentences := list(dict.fromkeys(_find_rules(schema))):
        parts.append(
            "\nWhat is refused, and what to write instead:\n\n" + "".join(f"- {s}\n" for s in sentences)
        )
    return "".join(parts)


def _walk(path: str, schema: Schema) -> Iterator[str]:
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        default = "required" if name in needed else _show_default(field)
        yield f"| `{where}` | {_name_type(field)} | {default} | {_escape(field.get('description', ''))} |\n"
        yield from _walk(where, field)
        if "items" in field:
            yield from _walk(f"{where}[]", field["items"])


def _name_type(field: Schema) -> str:
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field["type"] == "array":
        return f"list of {_name_type(field['items'])}"
    bounds = [str(field[key]) for key in ("minimum", "maximum") if key in field]
    return str(field["type"]) + (f" {'…'.join(bounds)}" if len(bounds) == 2 else "")


def _show_default(field: Schema) -> str:
    """Only of what is written in one line: a group's defaults stand at its fields, a list's in its sentence."""
    default = field.get("default")
    return "" if default is None or isinstance(default, dict | list) else f"`{json.dumps(default)}`"


def _find_rules(schema: Schema) -> Iterator[str]:
    for validation in schema.get("x-kubernetes-validations", []):
        yield validation["message"]
    for part in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        yield from _find_rules(part)


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(arguments: list[str]) -> int:
    """Writes the page into the current folder; with --check says whether it is stale, and returns 1 if so."""
    page = build_page()
    fresh = Path(TARGET).is_file() and Path(TARGET).read_text() == page
    if "--check" in arguments:
        if not fresh:
            sys.stderr.write(
                f"{TARGET} is not what the models say; run python -m tidegate_operator.api.reference\n"
            )
        return 0 if fresh else 1
    Path(TARGET).parent.mkdir(parents=True, exist_ok=True)
    Path(TARGET).write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
