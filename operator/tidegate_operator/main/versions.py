"""The version reconciler: snapshot → status, for one ModelVersion at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidegate_operator.act.cluster import Cluster, ClusterError
from tidegate_operator.act.version_status import write_bundle, write_version_status
from tidegate_operator.main.census import Census
from tidegate_operator.main.queue import describe
from tidegate_operator.observe.store import Key, Kind, Store
from tidegate_operator.observe.versions import VersionObserver
from tidegate_operator.plan.version import VersionPlan, plan_version

logger = logging.getLogger(__name__)

GONE = frozenset({404, 409})
"""What the API server says of an object that was deleted, or made anew, since the watch told of it."""


@dataclass(frozen=True, slots=True)
class VersionParts:
    """What it works with."""

    store: Store
    cluster: Cluster
    observer: VersionObserver
    census: Census


class VersionReconciler:
    """Brings the status of one ModelVersion at a time to what is so."""

    def __init__(self, parts: VersionParts, *, now: Callable[[], datetime]) -> None:
        self._parts = parts
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        """Look at a key once; the seconds until it wants to be looked at again."""
        snapshot = await self._parts.observer.read(key)
        if snapshot is None:
            return None
        plan = plan_version(snapshot, self._now())
        try:
            await self._write(key, plan)
        except ClusterError as error:
            if error.status in GONE:
                return None
            if not error.refused:
                raise
            # Whoever may not write one of them may write none. The next resync tries again, which is soon enough for
            # what nobody waits for; each by itself, later and later, would be thousands of requests for nothing.
            self._parts.census.count_refusal()
            logger.warning("%s is not written: %s", key, error, extra=describe(key))
        return plan.look_again_seconds

    async def _write(self, key: Key, plan: VersionPlan) -> None:
        if plan.bundle and (body := self._find(key)):
            self._take(await write_bundle(self._parts.cluster, body, plan.bundle))
        if body := self._find(key):
            self._take(await write_version_status(self._parts.cluster, body, plan.status))

    def _find(self, key: Key) -> Mapping[str, Any] | None:
        return self._parts.store.find(Kind.MODEL_VERSION, key.namespace, key.name)

    def _take(self, stored: Mapping[str, Any] | None) -> None:
        """What we wrote is known at once: a watch that lags behind would have it written twice."""
        if stored:
            self._parts.store.refresh(Kind.MODEL_VERSION, stored)
