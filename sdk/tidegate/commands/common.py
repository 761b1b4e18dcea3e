"""What commands share: the kinds of their arguments, and sentences for what is missing."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

import click

from tidegate.bundle import verify_bundle
from tidegate.contents import UnfitBundle, read_contents

FOLDER: Final = click.Path(file_okay=False, path_type=Path)
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITTEN_FILE: Final = click.Path(dir_okay=False, writable=True, path_type=Path)


def require_sound(bundle: Path, digest: str | None = None) -> None:
    """Ends with a sentence a fault, where a predictor would end with it too."""
    problems = verify_bundle(bundle, digest)
    if problems:
        raise click.ClickException("\n".join(problems))
    try:
        read_contents(bundle)
    except UnfitBundle as unfit:
        raise click.ClickException(unfit.message) from unfit


def require(module: str, package: str) -> Any:  # noqa: ANN401 - a module
    """Imports what not every installation has; without it, says how to get it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"this command needs {error.name}, which is not installed: pip install '{package}'"
        ) from error


def printable(text: str) -> str:
    """A line as a terminal may show it: what others wrote into a cluster must not move its cursor."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
