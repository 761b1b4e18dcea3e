"""`tidegate verify` and `tidegate serve`: what a predictor would say of a bundle, and the predictor itself."""

from __future__ import annotations

from pathlib import Path

import click

from tidegate.bundle import MANIFEST_NAME, manifest_digest
from tidegate.commands.common import FOLDER, require, require_sound


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--digest", help="What the bundle must be: sha256:… as its ModelVersion says.")
def verify(bundle: Path, digest: str | None) -> None:
    """Compares every file of BUNDLE with its manifest, the manifest with --digest, and what is in them with the rest.

    What it finds is what a predictor would end with.
    """
    require_sound(bundle, digest)
    click.echo(manifest_digest((bundle / MANIFEST_NAME).read_bytes()))


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
def serve(bundle: Path, port: int) -> None:
    """Serves BUNDLE on this machine by the very predictor that a cluster runs."""
    require_sound(bundle)
    raise SystemExit(require("tidegate_serving.main", "tidegate[serving]").serve_bundle(bundle, port))
