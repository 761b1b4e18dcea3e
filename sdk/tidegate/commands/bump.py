"""`tidegate bump`: the file of a ModelDeployment asks for another version, as a release in git does."""

from __future__ import annotations

from pathlib import Path

import click

from tidegate.commands.common import FILE, printable, require
from tidegate.commands.diff import read_file
from tidegate.commands.kubectl import require_name
from tidegate.comparing.known_version import parse_model_version
from tidegate.rollback import Body, refuse_version


@click.command()
@click.argument("deployment", type=FILE)
@click.argument("version", type=FILE)
def bump(deployment: Path, version: Path) -> None:
    """Writes the name of a ModelVersion into spec.modelVersion of a ModelDeployment; both are files.

    DEPLOYMENT is YAML with one ModelDeployment in it; all else there stays as it is, to the last space. VERSION has
    one ModelVersion, as `tidegate manifest` writes it, and must be of the same model. No cluster is asked.
    """
    wanted_version = require("tidegate.wanted_version", "tidegate[check]")
    name, body = _read_version(version)
    try:
        wanted = wanted_version.find_wanted(deployment.read_bytes().decode())
    except ValueError as error:
        raise click.ClickException(f"{deployment}: {error}") from error
    if refusal := refuse_version(wanted.deployment, name, body):
        raise click.ClickException(refusal)
    if wanted.version == name:
        click.echo(f"{deployment}: spec.modelVersion is {name} already; nothing was changed")
        return
    deployment.write_bytes(wanted.replace(name).encode())
    click.echo(printable(f"{deployment}: spec.modelVersion went from {wanted.version} to {name}"))


def _read_version(path: Path) -> tuple[str, Body]:
    """The ModelVersion in a file, and its name."""
    try:
        body = read_file(path)
        parse_model_version(path.name, body)
        return require_name(str(body["metadata"]["name"])), body
    except (KeyError, TypeError) as error:
        raise click.ClickException(f"{path}: its ModelVersion has no metadata.name") from error
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{path}: {error}") from error
