"""The command line."""

from __future__ import annotations

import click

from tidegate.commands.bump import bump
from tidegate.commands.bundles import serve, verify
from tidegate.commands.check import check
from tidegate.commands.diff import diff
from tidegate.commands.history import history
from tidegate.commands.manifest import manifest
from tidegate.commands.package import package
from tidegate.commands.push import push
from tidegate.commands.rollback import rollback
from tidegate.commands.sign import sign
from tidegate.version import VERSION


@click.group()
@click.version_option(VERSION, prog_name="tidegate")
def main() -> None:
    """Takes models to production, and takes back the ones that do harm."""


for command in (package, sign, manifest, bump, verify, diff, history, rollback, check, push, serve):
    main.add_command(command)
