"""What the documentation names is there: files, functions, links, make targets."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OPERATOR = ROOT / "operator/tidegate_operator"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def places_of_rules() -> list[tuple[str, list[str]]]:
    """Each row of the table in docs/rollout.md that names a module of the operator, and functions in it."""
    rows = re.findall(
        r"^\| .+ \| `(\w+/\w+\.py)`((?:, `\w+`)*) \|$", (ROOT / "docs/rollout.md").read_text(), re.MULTILINE
    )
    return [(module, re.findall(r"`(\w+)`", names)) for module, names in rows]


@pytest.mark.parametrize(("module", "names"), places_of_rules())
def test_a_rule_lies_where_the_documentation_says(module: str, names: list[str]) -> None:
    tree = ast.parse((OPERATOR / module).read_text())
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert set(names) <= defined


def test_every_row_of_the_rules_is_held() -> None:
    assert len(places_of_rules()) >= 12


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    assert [link for link in links if ":" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_make_target_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+)(?:%?):", makefile, re.MULTILINE))
    patterns = tuple(re.findall(r"^([a-z-]+)%:", makefile, re.MULTILINE))
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert [name for name in named if name not in targets and not name.startswith(patterns)] == []
