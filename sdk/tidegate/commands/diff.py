"""`tidegate diff`: what changed from one version to another."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from tidegate.bundle import MANIFEST_NAME, PROVENANCE_NAME, SIGNATURE_NAME, manifest_digest, read_manifest
from tidegate.commands.common import require_sound
from tidegate.comparison import Change, Version, compare_versions, read_spec
from tidegate.provenance import Provenance
from tidegate.signature import Signature

_SECONDS: Final = 30.0


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--namespace", "-n", default="", help="Of ModelVersions; by default that of kubectl's context.")
@click.option("--context", "kube_context", default="", help="Of kubectl; by default its current one.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(before: str, after: str, *, namespace: str, kube_context: str, output: str) -> None:
    """Tells what changed from BEFORE to AFTER: code, data, metrics, features, libraries, files.

    Each is the folder of a bundle, or else the name of a ModelVersion, which your own kubectl reads. A ModelVersion
    tells nothing of features and files; its bundle does.
    """
    options = [f"--namespace={namespace}"] * bool(namespace) + [f"--context={kube_context}"] * bool(
        kube_context
    )
    old, new = (_read(name, options) for name in (before, after))
    changes = compare_versions(old, new)
    if output == "json":
        click.echo(json.dumps([asdict(change) for change in changes], indent=1, ensure_ascii=False))
        return
    click.echo(f"{old.name} {old.digest}\n{new.name} {new.digest}")
    click.echo("\n".join(_write(changes)) if changes else "nothing changed that they tell")


def _write(changes: Sequence[Change]) -> list[str]:
    lines = []
    for group, members in groupby(changes, key=lambda change: change.group):
        lines.append(f"\n{group}")
        lines += [f"  {each.subject}: {each.before} → {each.after}" for each in members]
    return lines


def _read(name: str, options: list[str]) -> Version:
    return (
        _read_bundle(Path(name)) if (Path(name) / MANIFEST_NAME).is_file() else _read_cluster(name, options)
    )


def _read_bundle(folder: Path) -> Version:
    require_sound(folder)
    content = (folder / MANIFEST_NAME).read_bytes()
    provenance, signature = folder / PROVENANCE_NAME, folder / SIGNATURE_NAME
    return Version(
        name=str(folder),
        digest=manifest_digest(content),
        # Bundles of before there was provenance have none.
        provenance=msgspec.json.decode(provenance.read_bytes(), type=Provenance)
        if provenance.is_file()
        else Provenance(),
        signature=msgspec.json.decode(signature.read_bytes(), type=Signature),
        files={name: file.size for name, file in read_manifest(content).files.items()},
    )


def _read_cluster(name: str, options: list[str]) -> Version:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise click.ClickException(
            f"{name} is no folder of a bundle, and there is no kubectl to ask for a ModelVersion of that name"
        )
    command = [kubectl, "get", "modelversion", name, "--output=json", *options]
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own kubectl
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise click.ClickException(f"kubectl did not answer within {_SECONDS:g} s") from error
    if answer.returncode:
        raise click.ClickException(f"kubectl: {answer.stderr.strip()}")
    try:
        body: dict[str, Any] = json.loads(answer.stdout)
        return read_spec(name, body["spec"])
    except (ValueError, KeyError) as error:
        raise click.ClickException(f"what kubectl answers is no ModelVersion: {error}") from error
