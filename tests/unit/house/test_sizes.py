"""The sizes that keep our sources readable: modules, functions, parameters."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PRODUCT = ("sdk", "serving", "operator", "cluster", "images", "locks", "demo", "drills")


@dataclass(frozen=True, slots=True)
class Function:
    """A function as it stands in a file."""

    place: str
    lines: int
    parameters: int
    positional: int


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def read_functions(*folders: str) -> list[Function]:
    return [
        describe(path, node)
        for path in sources(*folders)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def describe(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    positional = [a for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls", "_cls")]
    return Function(
        place=f"{path.relative_to(ROOT)}:{node.lineno} {node.name}",
        lines=(node.end_lineno or node.lineno) - node.lineno + 1,
        parameters=len(positional) + len(node.args.kwonlyargs),
        positional=len(positional),
    )


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_a_module_ends_at_400_lines() -> None:
    assert [str(p.relative_to(ROOT)) for p in sources(*PRODUCT, "bench") if lines_of(p) > 400] == []


def test_a_test_module_ends_at_500_lines() -> None:
    assert [str(p.relative_to(ROOT)) for p in sources("tests") if lines_of(p) > 500] == []


def test_no_function_has_more_than_60_lines() -> None:
    assert [f"{f.place}: {f.lines}" for f in read_functions(*PRODUCT, "bench", "tests") if f.lines > 60] == []


def test_nine_functions_of_ten_have_at_most_30_lines_and_half_of_them_10() -> None:
    lines = sorted(function.lines for function in read_functions(*PRODUCT))
    assert lines[len(lines) * 9 // 10] <= 30
    assert statistics.median(lines) <= 10


def test_99_functions_of_100_take_at_most_5_parameters_and_none_more_than_7() -> None:
    parameters = sorted(function.parameters for function in read_functions(*PRODUCT))
    assert parameters[len(parameters) * 99 // 100] <= 5
    assert parameters[-1] <= 7


def test_no_function_takes_more_than_4_parameters_by_position() -> None:
    assert [f"{f.place}: {f.positional}" for f in read_functions(*PRODUCT) if f.positional > 4] == []


def test_half_of_the_tests_have_at_most_12_lines() -> None:
    tests = [f.lines for f in read_functions("tests") if " test_" in f.place]
    assert statistics.median(tests) <= 12
