"""The intake: what watches and lists tell goes into the store, and the keys that it concerns onto the queue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from tidegate_operator.act.applier import Applier
from tidegate_operator.act.cluster import Cluster, ClusterError
from tidegate_operator.main.keys import find_keys
from tidegate_operator.main.version_keys import find_version_keys
from tidegate_operator.observe.store import (
    Body,
    Key,
    Kind,
    Store,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
    version_of,
)
from tidegate_operator.plan.identity import DEPLOYMENT_LABEL

logger = logging.getLogger(__name__)

# Everything that we make carries it, so that the API server sends us nobody else's pods.
OUR_CHILDREN = "app.kubernetes.io/part-of=tidegate"
SELECTORS: Mapping[Kind, str] = {
    Kind.MODEL_VERSION: "",
    Kind.CONTROLLER_REVISION: OUR_CHILDREN,
    Kind.DEPLOYMENT: OUR_CHILDREN,
    Kind.JOB: OUR_CHILDREN,
    Kind.POD: OUR_CHILDREN,
    Kind.SERVICE: OUR_CHILDREN,
    Kind.POD_DISRUPTION_BUDGET: OUR_CHILDREN,
    Kind.MODEL_DEPLOYMENT: "",
}
"""What is watched, and by which label selector."""
OURS_ALONE = frozenset({Kind.SERVICE, Kind.POD_DISRUPTION_BUDGET, Kind.CONTROLLER_REVISION})
"""Nobody but us writes these."""
COLLECTED_WITH_OWNER = OURS_ALONE | {Kind.DEPLOYMENT}
"""Where one of these is deleted, its ModelDeployment may be gone. Pods come and go by themselves."""


class Intake:
    """Takes bodies in."""

    def __init__(self, store: Store, applier: Applier, queue_key: Callable[[Key], None]) -> None:
        self._store = store
        self._applier = applier
        self._queue_key = queue_key
        self._doubted: set[Key] = set()

    def take(self, kind: Kind, event: str | None, body: Body) -> None:
        """One event of a watch: `ADDED`, `MODIFIED`, `DELETED`, or none for what was there already."""
        name = (kind.value, namespace_of(body), name_of(body))
        if event == "DELETED":
            self._take_deletion(kind, body)
            return
        if not self._store.is_news(kind, body):
            return  # a list told it already
        before = self._store.find(kind, *name[1:])
        self._store.put(kind, body)
        # Nothing but us writes these, so what comes back of our own writes is no news, but to versions.
        if not (kind in OURS_ALONE and self._applier.has_written(name, version_of(body))):
            self._queue_all(find_keys(self._store, kind, before, body))
        self._queue_all(find_version_keys(self._store, kind, before, body))

    async def take_all(self, cluster: Cluster, namespace: str | None) -> None:
        """List a namespace (none: all): before the first look, and now and then to mend what a watch missed."""
        for kind, selector in SELECTORS.items():
            listed: set[str] = set()
            version = 0
            async for bodies, listed_version in cluster.list_pages(kind.value, namespace, selector):
                version = listed_version
                for body in bodies:
                    self._store.put(kind, body)
                    listed.add(uid_of(body))
            for gone in self._store.retain(kind, listed, namespace=namespace, listed_version=version):
                self._take_deletion(kind, gone)

    async def verify(self, cluster: Cluster, key: Key) -> None:
        """Ask whether a ModelDeployment is still there, if something was deleted that goes when it does.

        A watch that broke off never tells what was deleted meanwhile. Without this, we would make its objects anew as
        often as the garbage collector deletes them, until the next resync.
        """
        if key not in self._doubted:
            return
        try:
            found = await cluster.find(Kind.MODEL_DEPLOYMENT.value, key.namespace, key.name)
        except ClusterError as error:
            # It is asked again with the next look, which must not wait for it: a candidate may be failing.
            logger.debug("%s could not be asked for: %s", key, error)
            return
        self._doubted.discard(key)
        known = self._store.find(Kind.MODEL_DEPLOYMENT, key.namespace, key.name)
        if known and (found is None or uid_of(found) != uid_of(known)):
            self._take_deletion(Kind.MODEL_DEPLOYMENT, known)

    def _take_deletion(self, kind: Kind, body: Body) -> None:
        before = self._store.find(kind, namespace_of(body), name_of(body)) or body
        self._store.drop(kind, body)
        if kind in COLLECTED_WITH_OWNER and (owner := labels_of(body).get(DEPLOYMENT_LABEL)):
            self._doubted.add(Key(namespace_of(body), owner))
        self._applier.forget((kind.value, namespace_of(body), name_of(body)))
        self._queue_all(find_keys(self._store, kind, None, body))
        self._queue_all(find_version_keys(self._store, kind, before, None))

    def _queue_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._queue_key(key)
