"""`tidegate check`: gates, on a laptop or in a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypedDict, Unpack

import click
import msgspec

from tidegate.commands.common import FILE, FOLDER, WRITTEN_FILE, require, require_sound
from tidegate.gates import Gate
from tidegate.quantities import parse_quantity
from tidegate.verdict import Verdict

EXIT_CODES: Final = {Verdict.GOOD: 0, Verdict.BAD: 1, Verdict.NOT_ENOUGH: 3}
"""2 is what click ends with for what can't be read, as every Unix tool does."""


class Options(TypedDict):
    """How a bundle is held against its gates."""

    gates_file: Path
    stable: Path | None
    output: str
    junit: Path | None
    cpu: str
    memory: str


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--gates", "gates_file", type=FILE, required=True, help="YAML or JSON: the list of gates.")
@click.option("--stable", type=FOLDER, help="The bundle in service, to compare with.")
@click.option("--output", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--junit", type=WRITTEN_FILE, help="Writes the report there too, as JUnit XML.")
@click.option("--cpu", default="1", show_default=True, help="CPU limit of the pods, such as 500m or 2.")
@click.option("--memory", default="512Mi", show_default=True, help="Memory limit of the pods.")
@click.pass_context
def check(context: click.Context, bundle: Path, **options: Unpack[Options]) -> None:
    """Holds the gates against BUNDLE, before any cluster gets it.

    Exit codes: 0 every gate is Good; 1 one is Bad; 3 none is Bad, but one can't be evaluated; 2 BUNDLE or the
    file of gates can't be read, or the file of the report not be written.
    """
    package = "tidegate[check,serving]"
    runner, report = require("tidegate_gates.check", package), require("tidegate_gates.report", package)
    laptop = require("tidegate_gates.laptop", package)
    gates, stable = read_gates(options["gates_file"]), options["stable"]
    for folder in filter(None, (bundle, stable)):
        _require_sound(folder)
    limits = runner.Limits(_parse(options["cpu"]), int(_parse(options["memory"])))
    bundles = runner.Bundles(bundle, stable, limits)
    found = runner.run_gates(gates, bundles, laptop.Laptop(options["gates_file"].parent))
    write = {"text": report.write_text, "json": report.write_json, "junit": report.write_junit}
    click.echo(write[options["output"]](found), nl=False)
    if options["junit"]:
        _write_file(options["junit"], report.write_junit(found))
    context.exit(EXIT_CODES[found.verdict])


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:  # exit code 1 would say that a gate is Bad
        raise click.UsageError(f"the report can't be written: {error}") from error


def _parse(quantity: str) -> float:
    try:
        return parse_quantity(quantity)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def read_gates(path: Path) -> tuple[Gate, ...]:
    """Reads the gates that a file lists.

    Raises:
        click.UsageError: It is no such list; the sentence names the field.
    """
    yaml = require("yaml", "tidegate[check]")
    try:
        content = yaml.safe_load(path.read_bytes())
        gates = msgspec.convert(content, tuple[Gate, ...])
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())
        raise click.UsageError(f"{path.name} is no list of gates: {words}") from error
    names = [gate.name for gate in gates]
    if twice := {name for name in names if names.count(name) > 1}:
        raise click.UsageError(f"{path.name} has two gates that are called {', '.join(sorted(twice))}")
    return gates


def _require_sound(folder: Path) -> None:
    try:
        require_sound(folder)
    except click.ClickException as error:
        raise click.UsageError(error.message) from error
