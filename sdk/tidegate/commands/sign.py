"""`tidegate sign`: a key vouches for a bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict, Unpack

import click

from tidegate.bundle import SEAL_NAME
from tidegate.commands.common import FILE, FOLDER, require, require_sound


class Options(TypedDict):
    """What a bundle is sealed with."""

    key: Path
    password_env: str | None
    certificate: Path | None
    chain: Path | None
    replace: bool


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--key", required=True, type=FILE, help="Private key in PEM, on P-256, P-384 or P-521.")
@click.option("--password-env", metavar="NAME", help="Environment variable with the key's password.")
@click.option("--certificate", type=FILE, help="Certificate of the key, in PEM.")
@click.option("--chain", type=FILE, help="Certificates between it and the authority, in PEM.")
@click.option("--replace", is_flag=True, help="Put this seal in the place of another.")
def sign(bundle: Path, **options: Unpack[Options]) -> None:
    """Seals BUNDLE with a key: writes model.sig, an OpenSSF model signature over all its files.

    Its ModelVersion carries the seal, and `tidegate verify --key` says whether it counts.
    """
    if options["chain"] and not options["certificate"]:
        raise click.UsageError("--chain leads from a --certificate to its authority; give both")
    seal = require("tidegate.sealing.seal", "tidegate[sign]")
    require_sound(bundle)
    key = seal.SealingKey(
        options["key"], _read_password(options["password_env"]), options["certificate"], options["chain"]
    )
    try:
        signer = seal.seal_bundle(bundle, key, replace=options["replace"])
    except (FileExistsError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{bundle / SEAL_NAME}: sealed by {signer}")


def _read_password(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return os.environ[name]
    except KeyError as error:
        raise click.ClickException(f"the environment has no variable {name}") from error
