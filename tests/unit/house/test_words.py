"""Words that have no place in what is committed, and lists of names that must be true."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    "sdk/tidegate",
    "serving/tidegate_serving",
    "serving/tidegate_gates",
    "operator/tidegate_operator",
)
INDEX_ADDRESS = re.compile(
    r"--(extra-)?index-url|--find-links|files\.pythonhosted|https?://[^\s]*pypi", re.IGNORECASE
)


def committed(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).is_file()]


def declared_exports() -> list[tuple[str, list[str]]]:
    """Each module of ours that declares `__all__`, with the names in it."""
    found = []
    for package in PACKAGES:
        top = (ROOT / package).parent
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                    module = ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")
                    found.append((module, ast.literal_eval(node.value)))
    return found


@pytest.mark.parametrize(("module", "names"), declared_exports())
def test_all_that_a_module_exports_is_there_in_sorted_order(module: str, names: list[str]) -> None:
    there = importlib.import_module(module)
    assert [name for name in names if not hasattr(there, name)] == []
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), name[0].islower(), name))


def names_in(path: Path) -> set[str]:
    """Every word of the names and keys in a source; its sentences may well speak of a model that was tested."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [
        str(getattr(node, field))
        for node in nodes
        for field in ("id", "arg", "attr", "name", "module")
        if isinstance(getattr(node, field, None), str)
    ]
    keys = [
        n.value
        for n in nodes
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and " " not in n.value
    ]
    return {word.lower() for text in names + keys for word in re.findall(r"[A-Za-z][a-z]*", text)}


def test_product_source_does_not_know_that_it_is_tested() -> None:
    knowing = [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if names_in(path) & {"test", "tests", "testing", "pytest", "mock"}
    ]
    assert knowing == []


def test_locks_name_no_index() -> None:
    assert [path.name for path in committed("locks/*.txt") if INDEX_ADDRESS.search(path.read_text())] == []


def test_nothing_committed_names_a_folder_of_the_machine_it_was_written_on() -> None:
    homes = re.compile(r"(?<![\w.])/(home|root|Users)/\w+")
    texts = committed("*.py", "*.toml", "*.txt", "*.md", "*.yaml", "Makefile", ".ci/*")
    assert [str(p.relative_to(ROOT)) for p in texts if homes.search(p.read_text())] == []
