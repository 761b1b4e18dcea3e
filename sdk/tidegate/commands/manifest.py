"""`tidegate manifest`: the ModelVersion of a bundle that lies on disk."""

from __future__ import annotations

from pathlib import Path

import click

from tidegate.commands.common import FOLDER, require_sound
from tidegate.model_version import read_bundle


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option(
    "--uri", required=True, help="Where the bundle lies for the cluster, such as s3://models/fraud/7."
)
@click.option("--version", required=True, help="Name of the ModelVersion, such as fraud-7.")
@click.option("--secret", default="", help="Name of the Secret with the store's keys, if it wants any.")
def manifest(bundle: Path, uri: str, version: str, secret: str) -> None:
    """Prints the ModelVersion to apply for BUNDLE, with its provenance and, once it is signed, its seal."""
    require_sound(bundle)
    try:
        click.echo(read_bundle(bundle).model_version(uri=uri, name=version, secret=secret), nl=False)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
