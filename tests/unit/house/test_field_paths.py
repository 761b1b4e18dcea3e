"""Every field that a message or a page tells a user to write is a field that there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tidegate_operator.api.crd import KINDS
from tidegate_operator.api.schema import build_structural_schema

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("sdk", "serving", "operator", "demo")
# `object.spec` is, in a rule of admission, that of another kind.
PATH = re.compile(r"(?<![\w/])(?<!object\.)(?:spec|status)(?:\.[A-Za-z_*]\w*(?:\[\d*\])?)+")
# A value that is filled in, such as the `{resource}` of an f-string: one field, whichever.
ANY = "_any_"
SCHEMAS = [build_structural_schema(kind.resource) for kind in KINDS]
METHODS = {"size", "filter", "map", "all"}
"""What CEL does with a field stands behind a dot too."""


def texts_of(path: Path) -> Iterator[str]:
    """The strings of a module, its docstrings included; the text of a page."""
    if path.suffix != ".py":
        yield path.read_text()
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else ANY for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def paths_of(path: Path) -> set[str]:
    return {found for text in texts_of(path) for found in PATH.findall(text)}


def is_field(schema: dict[str, Any], names: list[str]) -> bool:
    """Whether a path leads somewhere in a schema. What is unfinished, as before a `{value}`, may end anywhere."""
    if not names or names[0] in METHODS:
        return True
    schema = schema.get("items", schema)
    properties = schema.get("properties", {})
    if names[0].startswith(ANY):
        return all(is_field(part, names[1:]) for part in properties.values())
    return names[0] in properties and is_field(properties[names[0]], names[1:])


def split(path: str) -> list[str]:
    return re.sub(r"\[\d*\]", "", path).split(".")


def pages() -> list[Path]:
    modules = [path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.py"))]
    charts = sorted((ROOT / "charts").rglob("*.yaml")) + sorted((ROOT / "manifests/samples").rglob("*.yaml"))
    return [*modules, *charts, *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_field_path_leads_to_a_field(page: Path) -> None:
    unknown = {
        path for path in paths_of(page) if not any(is_field(schema, split(path)) for schema in SCHEMAS)
    }
    assert unknown == set()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("spec.rollout.steps[0].weight", True),
        ("spec.serving.resources.limits._any_", True),
        ("spec.rollout.strategy", True),
        ("spec.strategy.rollout", False),
        ("spec.source.secretRef", True),
        ("spec.source.secret", False),
    ],
)
def test_a_wrong_path_is_found(text: str, known: bool) -> None:  # noqa: FBT001 - a table's column
    assert any(is_field(schema, split(text)) for schema in SCHEMAS) is known
