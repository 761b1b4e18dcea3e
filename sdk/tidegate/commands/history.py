"""`tidegate history`: which version served or was tried when, how it ended, and who built it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import click

from tidegate.commands.common import printable
from tidegate.commands.kubectl import (
    CONTROLLER_REVISIONS,
    MODEL_DEPLOYMENTS,
    MODEL_VERSIONS,
    Body,
    Kubectl,
    takes_cluster,
)
from tidegate.comparing.versions import SHORT_COMMIT
from tidegate.history import DEPLOYMENT_LABEL
from tidegate.timeline import Entry, Record, build_timeline, read_record

_HEADINGS: Final = ("VERSION", "REVISION", "FROM", "TO", "AS", "SHARE", "COMMIT", "BUILT BY", "HOW IT ENDED")
_UNKNOWN: Final = "-"


@click.command()
@click.argument("name", metavar="MODELDEPLOYMENT")
@takes_cluster
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def history(name: str, *, namespace: str | None, context: str | None, output: str) -> None:
    """Tells which version of MODELDEPLOYMENT served or was tried when, the newest first, how that ended and why.

    The times are kept with the revisions themselves, so they outlive pods and operator; the last 10 of each revision.
    SHARE is the highest share of the users' requests that it was given.
    """
    kubectl = Kubectl(namespace, context)
    deployment = get_deployment(name, kubectl)
    records = find_records(deployment, kubectl)
    versions = kubectl.get_all(MODEL_VERSIONS, *sorted({record.version for record in records}))
    entries = build_timeline(deployment, records, versions)
    click.echo(_write_json(entries) if output == "json" else _write_table(name, entries))


def get_deployment(name: str, kubectl: Kubectl) -> Body:
    """The ModelDeployment.

    Raises:
        click.ClickException: There is none.
    """
    body = kubectl.get(MODEL_DEPLOYMENTS, name)
    if body is None:
        raise click.ClickException(f"there is no ModelDeployment {name} {kubectl.say_place()}")
    return body


def find_records(deployment: Body, kubectl: Kubectl) -> list[Record]:
    """The records of its revisions, not those of a namesake that was deleted."""
    metadata = deployment["metadata"]
    bodies = kubectl.find(CONTROLLER_REVISIONS, f"{DEPLOYMENT_LABEL}={metadata['name']}")
    return [
        read_record(body)
        for body in bodies
        if any(owner["uid"] == metadata["uid"] for owner in body["metadata"].get("ownerReferences") or ())
    ]


def _write_table(name: str, entries: Iterable[Entry]) -> str:
    rows = [_HEADINGS, *(_write_row(entry) for entry in entries)]
    if len(rows) == 1:
        return f"{name} has no revision yet"
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        printable("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
        for row in rows
    )


def _write_row(entry: Entry) -> tuple[str, ...]:
    ended = f"{entry.ended}: {entry.why}" if entry.ended else entry.why
    return (
        entry.version,
        entry.revision,
        entry.begin or _UNKNOWN,
        "now" if entry.end is None else entry.end or _UNKNOWN,
        str(entry.place),
        _UNKNOWN if entry.share is None else f"{entry.share} %",
        entry.commit[:SHORT_COMMIT] or _UNKNOWN,
        entry.built_by or _UNKNOWN,
        ended,
    )


def _write_json(entries: Iterable[Entry]) -> str:
    return json.dumps([_to_document(entry) for entry in entries], indent=2, ensure_ascii=False)


def _to_document(entry: Entry) -> dict[str, Any]:
    """The words of the annotation; null: not known, or it goes on."""
    return {
        "version": entry.version,
        "revision": entry.revision,
        "as": entry.place,
        "from": entry.begin or None,
        "to": entry.end or None,
        "share": entry.share,
        "requests": entry.requests,
        "ended": entry.ended or None,
        "why": entry.why or None,
        "commit": entry.commit or None,
        "builtBy": entry.built_by or None,
    }
