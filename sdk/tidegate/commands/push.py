"""`tidegate push`: a bundle is brought to its store."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tidegate.commands.common import FOLDER, require, require_sound


@click.command()
@click.argument("bundle", type=FOLDER)
@click.argument("uri")
def push(bundle: Path, uri: str) -> None:
    """Brings BUNDLE to the folder URI (s3://, gs://, az:// or file:///), its manifest last.

    Keys are read from the environment, such as AWS_ACCESS_KEY_ID. Nothing there is overwritten; after a cut, the same
    command sends what is missing.
    """
    pushing = require("tidegate.pushing", "tidegate[push]")
    require_sound(bundle)
    try:
        pushed = pushing.push(bundle, uri, progress=_show if sys.stderr.isatty() else None)
    except pushing.PushRefusedError as error:
        raise click.ClickException(str(error)) from error
    what = f"{', '.join(pushed.sent)} sent" if pushed.sent else "it was there already, nothing was sent"
    click.echo(f"{pushed.uri}: {pushed.digest}, {what}")


def _show(name: str, sent: int, size: int) -> None:
    share = 100 * sent // size if size else 100
    click.echo(f"\r{name} {share} %\033[K", nl=sent >= size, err=True)
