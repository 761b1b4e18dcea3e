"""Every `tidegate …` that a page or a sample shows is a command that there is, with options that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tidegate.cli import main

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SAMPLES = sorted((ROOT / "manifests/pipelines").iterdir())
# As a shell reads it: at the begin of a line or of what is quoted, up to what ends a command.
USE = re.compile(r"(?:^ *|[`(])tidegate ([a-z][a-z-]*)([^\n`|;&]*)", re.MULTILINE)
OPTION = re.compile(r"(?<=\s)--?[a-z][a-z-]*")


def uses_of(text: str) -> Iterator[tuple[str, set[str]]]:
    """Each command that a text shows, and the options that it has there."""
    for command, rest in USE.findall(re.sub(r"\\\n", " ", text)):
        yield command, set(OPTION.findall(rest))


def options_of(command: click.Command) -> set[str]:
    return {"--help"} | {name for parameter in command.params for name in parameter.opts}


def unknown_in(text: str) -> list[str]:
    return [
        f"{command} {option}"
        for command, options in uses_of(text)
        for option in (options - options_of(main.commands[command]) if command in main.commands else [""])
    ]


@pytest.mark.parametrize("page", [*PAGES, *SAMPLES], ids=lambda path: path.name)
def test_a_command_that_is_shown_exists(page: Path) -> None:
    assert unknown_in(page.read_text()) == []


def test_commands_are_found_where_they_are_shown() -> None:
    shown = {command for page in [*PAGES, *SAMPLES] for command, _ in uses_of(page.read_text())}
    assert shown == main.commands.keys()


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("`tidegate verify --key`", []),
        ("`tidegate verify --keys public.pem`", ["verify --keys"]),
        ("  tidegate history fraud \\\n  -n shop --all", ["history --all"]),
        ("digest=$(tidegate digest bundle)", ["digest "]),
        ("git clone … tidegate && cd tidegate", []),
    ],
)
def test_a_wrong_one_is_found(text: str, unknown: list[str]) -> None:
    assert unknown_in(text) == unknown
