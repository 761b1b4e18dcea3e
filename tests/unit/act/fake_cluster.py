"""An API server of dictionaries, which can be away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from tidegate_operator.act.applier import Name, name_manifest
from tidegate_operator.act.cluster import STATUS_MANAGER, ClusterError
from tidegate_operator.plan.facts import Manifest


class FakeCluster:
    """Remembers what is asked of it, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.statuses: list[dict[str, Any]] = []
        self.stored: dict[Name, dict[str, Any]] = {}
        self.applied: dict[Name, dict[str, dict[str, Any]]] = {}
        """The statuses by object and manager."""
        self.version = 0
        self.away = False
        self.refuses: set[str] = set()

    async def apply(self, manifest: Manifest) -> Mapping[str, Any]:
        """As server-side apply."""
        self._ask("apply", manifest["kind"], manifest["metadata"]["name"])
        self.version += 1
        stored = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(self.version)}}
        self.stored[name_manifest(manifest)] = stored
        return stored

    async def apply_status(self, manifest: Manifest, *, manager: str = STATUS_MANAGER) -> Mapping[str, Any]:
        """As server-side apply of a status: what another manager applied stays."""
        self._ask("status", manifest["kind"], manifest["metadata"]["name"])
        self.statuses.append(manifest["status"])
        name = name_manifest(manifest)
        applied = self.applied.setdefault(name, {})
        applied[manager] = manifest["status"]
        stored = self.stored.get(name, {})
        version = {"resourceVersion": str(100 + len(self.asked))}
        return {
            **stored,
            **manifest,
            "metadata": {**stored.get("metadata", {}), **manifest["metadata"], **version},
            "status": {key: value for part in applied.values() for key, value in part.items()},
        }

    async def delete(self, kind: str, namespace: str, name: str) -> None:  # noqa: ARG002 - the port's shape
        """As deletion."""
        self._ask("delete", kind, name)

    async def create(self, manifest: Manifest) -> None:
        """As creation."""
        self._ask("create", manifest["kind"], manifest.get("reason", ""))

    async def find(self, kind: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        """What is stored."""
        self._ask("find", kind, name)
        return self.stored.get((kind, namespace, name))

    async def list_pages(
        self, kind: str, namespace: str | None, label_selector: str = ""
    ) -> AsyncIterator[tuple[list[dict[str, Any]], int]]:
        """All that is stored of a kind, one object a page."""
        self._ask("list", kind, label_selector)
        for (of, within, _), body in self.stored.items():
            if of == kind and namespace in (None, within):
                yield [body], self.version
        yield [], self.version

    def _ask(self, *words: str) -> None:
        if self.away:
            raise ClusterError("the API server does not answer")
        if words[1] in self.refuses:
            raise ClusterError("exceeded quota", 403)
        self.asked.append(" ".join(words))
