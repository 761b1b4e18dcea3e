"""Events: what happened to a ModelDeployment, for `kubectl describe`, each thing once."""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from tidegate_operator.act.cluster import Cluster, ClusterError
from tidegate_operator.plan.facts import Manifest
from tidegate_operator.plan.plan import Event

logger = logging.getLogger(__name__)

# The API server keeps events for an hour; the same sentence is told again only when the first is half forgotten.
SILENCE = timedelta(minutes=30)
REMEMBERED = 4096
NOTE_LIMIT = 1024  # the API server refuses longer notes

Told = tuple[str, str, str]


class Recorder:
    """Writes events; one that can't be written is dropped, since nothing may depend on it."""

    def __init__(self, cluster: Cluster, instance: str) -> None:
        self._cluster = cluster
        self._instance = instance
        self._told: OrderedDict[Told, datetime] = OrderedDict()

    async def record(self, regarding: Manifest, event: Event, now: datetime) -> None:
        """Tell an event about an object, unless it was just told."""
        told = (regarding["metadata"]["uid"], event.reason, event.message)
        if now - self._told.get(told, datetime.min.replace(tzinfo=UTC)) < SILENCE:
            return
        self._told[told] = now
        self._told.move_to_end(told)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        try:
            await self._cluster.create(self._build(regarding, event, now))
        except ClusterError as error:
            logger.warning("the event %s could not be written: %s", event.reason, error)

    def _build(self, regarding: Manifest, event: Event, now: datetime) -> Manifest:
        metadata = regarding["metadata"]
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "type": event.type,
            "reason": event.reason,
            "note": event.message[:NOTE_LIMIT],
            "action": event.reason,
            "regarding": {
                "apiVersion": regarding["apiVersion"],
                "kind": regarding["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "reportingController": "tidegate.io/operator",
            "reportingInstance": self._instance,
        }
