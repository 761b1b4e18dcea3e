"""`tidegate verify` and `tidegate serve`: what a predictor would say of a bundle, and the predictor itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from tidegate.bundle import MANIFEST_NAME, SEAL_NAME, manifest_digest
from tidegate.commands.common import FILE, FOLDER, require, require_sound
from tidegate.model_version import read_seal


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--digest", help="What the bundle must be: sha256:… as its ModelVersion says.")
@click.option("--key", "keys", type=FILE, multiple=True, help="Public key in PEM whose seal is wanted.")
@click.option(
    "--certificate-authority",
    "authorities",
    type=FILE,
    multiple=True,
    help="Certificates in PEM; a seal by whom one of them vouches for is wanted.",
)
def verify(bundle: Path, digest: str | None, keys: tuple[Path, ...], authorities: tuple[Path, ...]) -> None:
    """Compares every file of BUNDLE with its manifest, the manifest with --digest, and what is in them with the rest.

    What it finds is what a predictor would end with. With keys or authorities, one of them must have sealed the
    bundle too, and the second line says who did.
    """
    require_sound(bundle, digest)
    found = manifest_digest((bundle / MANIFEST_NAME).read_bytes())
    signer = _require_sealed(bundle, found, keys, authorities) if keys or authorities else None
    click.echo(found)
    if signer is not None:
        click.echo(f"sealed by {signer}")


def _require_sealed(
    bundle: Path, digest: str, keys: tuple[Path, ...], authorities: tuple[Path, ...]
) -> object:
    check = require("tidegate.sealing.check", "tidegate[sign]")
    try:
        trusted = check.read_trusted(keys=keys, authorities=authorities)
        text = read_seal(bundle)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if text is None:
        raise click.ClickException(f"{bundle} has no {SEAL_NAME}; wanted is one by {trusted}")
    signer = check.check_seal(text, digest, trusted, now=datetime.now(UTC))
    if isinstance(signer, check.Unsealed):
        raise click.ClickException(signer.sentence)
    return signer


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
def serve(bundle: Path, port: int) -> None:
    """Serves BUNDLE on this machine by the very predictor that a cluster runs."""
    require_sound(bundle)
    raise SystemExit(require("tidegate_serving.main", "tidegate[serving]").serve_bundle(bundle, port))
