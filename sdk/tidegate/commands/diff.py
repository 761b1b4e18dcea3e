"""`tidegate diff`: what changed between two versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click

from tidegate.bundle import MANIFEST_NAME
from tidegate.commands.common import printable, require
from tidegate.commands.kubectl import MODEL_VERSIONS, Kubectl, takes_cluster
from tidegate.comparing.change import Change
from tidegate.comparing.known_version import KnownVersion, parse_model_version, read_bundle
from tidegate.comparing.versions import SHORT_DIGEST, compare, name_gaps

_FILE_SUFFIXES: Final = (".json", ".yaml", ".yml")


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@takes_cluster
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(before: str, after: str, *, namespace: str | None, context: str | None, output: str) -> None:
    """Tells what changed from A to B: code, run, data, features, signature, metrics, packages, files, builder.

    Each is a ModelVersion in the cluster (fraud-7), a file with one (.json; .yaml with pip install
    'tidegate[check]'), or the folder of a bundle. A folder of the name comes first; the cluster is asked by kubectl.

    Ends with 0 whether they differ or not, and with 1 if one of them can't be read.
    """
    kubectl = Kubectl(namespace, context)
    one, other = read_version(before, kubectl), read_version(after, kubectl)
    changes, gaps = compare(one, other), name_gaps(one, other)
    click.echo(
        _write_json(one, other, changes, gaps) if output == "json" else _write_text(one, other, changes, gaps)
    )


def read_version(where: str, kubectl: Kubectl) -> KnownVersion:
    """Reads what is known of a version from where the user says it is.

    Raises:
        click.ClickException: One sentence on why it can't be read.
    """
    path = Path(where)
    try:
        if (path / MANIFEST_NAME).is_file():
            return read_bundle(where, path)
        if path.is_file():
            return parse_model_version(where, read_file(path))
        if path.name != where or path.suffix in _FILE_SUFFIXES:
            raise click.ClickException(f"{where} is neither a file nor a folder with a {MANIFEST_NAME}")
        return parse_model_version(where, _get_model_version(where, kubectl))
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{where}: {error}") from error


def _get_model_version(name: str, kubectl: Kubectl) -> Mapping[str, Any]:
    body = kubectl.get(MODEL_VERSIONS, name)
    if body is None:
        raise click.ClickException(f"there is no ModelVersion {name} {kubectl.say_place()}")
    return body


def read_file(path: Path) -> Mapping[str, Any]:
    """Reads the one ModelVersion that a file has, beside any other objects.

    Raises:
        ValueError: It has none, or several, or can't be read.
    """
    if path.suffix == ".json":
        documents = [json.loads(path.read_bytes())]
    else:
        yaml = require("yaml", "tidegate[check]")
        try:
            documents = list(yaml.safe_load_all(path.read_bytes()))
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from error
    found = [body for body in documents if isinstance(body, dict) and body.get("kind") == "ModelVersion"]
    if len(found) != 1:
        raise ValueError(f"a file with one ModelVersion is needed, and this has {len(found)}")
    return found[0]


def _write_text(
    before: KnownVersion, after: KnownVersion, changes: tuple[Change, ...], gaps: tuple[str, ...]
) -> str:
    lines = [f"{before.name} → {after.name}"]
    if not changes:
        lines += ["", f"nothing differs: both are {after.digest[:SHORT_DIGEST]}"]
    for group, members in groupby(changes, key=lambda change: change.group):
        listed = list(members)
        width = max(len(change.what) for change in listed)
        lines += ["", str(group), *(_write_line(change, width) for change in listed)]
    return "\n".join(printable(line) for line in [*lines, *(("", *gaps) if gaps else ())])


def _write_line(change: Change, width: int) -> str:
    sign = "+" if change.before is None else "-" if change.after is None else "~"
    return f"  {sign} {change.what:<{width}}  {change.said}"


def _write_json(
    before: KnownVersion, after: KnownVersion, changes: tuple[Change, ...], gaps: tuple[str, ...]
) -> str:
    sides = {
        side: {"name": version.name, "model": version.model, "digest": version.digest}
        for side, version in (("before", before), ("after", after))
    }
    document = {**sides, "changes": [asdict(change) for change in changes], "gaps": gaps}
    return json.dumps(document, indent=2, ensure_ascii=False)
