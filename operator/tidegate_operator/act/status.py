"""Status: one write to a ModelDeployment's status subresource, if anything in it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import msgspec

from tidegate_operator.act.cluster import Cluster
from tidegate_operator.api.status import ModelDeploymentStatus
from tidegate_operator.plan.facts import Manifest

Name = tuple[str, str]
"""Namespace and name."""

COUNTS_SECONDS = 5.0
"""How long counts may stay unwritten. A rollout is looked at every second, and with each look the counts grow; were
each written, fifty rollouts would be fifty writes a second. A leader that starts anew lacks these seconds of evidence,
which makes it slower, never wrong."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written last, of which object, and when."""

    uid: str
    version: int
    """The resource version that it came to."""
    document: bytes
    """Encoded: a thousand of them as dictionaries would be 10 MiB."""
    at: float


class StatusWriter:
    """Remembers what was written last; what the watch shows may lag behind that."""

    def __init__(self, cluster: Cluster, *, clock: Callable[[], float] = monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._written: dict[Name, Written] = {}

    async def write(self, body: Manifest, status: ModelDeploymentStatus) -> bool:
        """Write the status of a ModelDeployment; true if it was not so already."""
        metadata, status_document = body["metadata"], dump_status(status)
        written = self._recall(body)
        wanted = replace(written, document=_encode(status_document), at=self._clock())
        if written.document == wanted.document or (status.candidate and _can_wait(written, wanted)):
            return False
        stored = await self._cluster.apply_status(
            {
                "apiVersion": body["apiVersion"],
                "kind": body["kind"],
                # With the uid, a namesake made a moment ago does not inherit the story of the one deleted.
                "metadata": {
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "uid": written.uid,
                },
                "status": status_document,
            }
        )
        self._written[metadata["namespace"], metadata["name"]] = replace(wanted, version=_version_of(stored))
        return True

    def _recall(self, body: Manifest) -> Written:
        """What is stored: what the watch shows is older than our own write, unless somebody has written since."""
        metadata = body["metadata"]
        name, uid, version = (metadata["namespace"], metadata["name"]), metadata["uid"], _version_of(body)
        written = self._written.get(name)
        if written is None or written.uid != uid or written.version < version:
            at = written.at if written and written.uid == uid else self._clock()
            written = self._written[name] = Written(uid, version, _encode(body.get("status") or {}), at)
        return written

    def forget(self, namespace: str, name: str) -> None:
        """A ModelDeployment is gone."""
        self._written.pop((namespace, name), None)


def _version_of(body: Manifest) -> int:
    return int(body["metadata"].get("resourceVersion") or 0)


def dump_status(status: ModelDeploymentStatus) -> dict[str, Any]:
    """The status as the API server keeps it: what is none is absent."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _encode(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document, order="deterministic")


def _can_wait(written: Written, wanted: Written) -> bool:
    """Whether only counts are new, and not for long; a candidate is looked at each second, so none is forgotten."""
    if wanted.at - written.at >= COUNTS_SECONDS:
        return False
    before, after = (_leave_out_counts(msgspec.json.decode(each.document)) for each in (written, wanted))
    return before == after


def _leave_out_counts(document: dict[str, Any]) -> dict[str, Any]:
    """A status without what every request changes: counts, and the sentences that name them."""
    rollout = document.get("rollout") or {}
    return {
        **document,
        "traffic": {**(document.get("traffic") or {}), "observed": None},
        "rollout": {
            **rollout,
            "steps": len(rollout.get("steps", ())),
            "checks": [(check["name"], check["verdict"]) for check in rollout.get("checks", ())],
        },
        "conditions": [{**condition, "message": None} for condition in document.get("conditions", ())],
    }
