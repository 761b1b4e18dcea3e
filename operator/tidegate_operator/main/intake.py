"""The intake: what watches and lists tell goes into the store, and the keys that it concerns onto the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tidegate_operator.act.applier import Applier
from tidegate_operator.act.cluster import Cluster
from tidegate_operator.main.keys import find_keys
from tidegate_operator.observe.store import (
    Body,
    Key,
    Kind,
    Store,
    name_of,
    namespace_of,
    uid_of,
    version_of,
)

# Everything that we make carries it, so that the API server sends us nobody else's pods.
OUR_CHILDREN = "app.kubernetes.io/part-of=tidegate"
SELECTORS: Mapping[Kind, str] = {
    Kind.MODEL_VERSION: "",
    Kind.CONTROLLER_REVISION: OUR_CHILDREN,
    Kind.DEPLOYMENT: OUR_CHILDREN,
    Kind.POD: OUR_CHILDREN,
    Kind.SERVICE: OUR_CHILDREN,
    Kind.POD_DISRUPTION_BUDGET: OUR_CHILDREN,
    Kind.MODEL_DEPLOYMENT: "",
}
"""What is watched, and by which label selector."""
OURS_ALONE = frozenset({Kind.SERVICE, Kind.POD_DISRUPTION_BUDGET, Kind.CONTROLLER_REVISION})


class Intake:
    """Takes bodies in."""

    def __init__(self, store: Store, applier: Applier, queue_key: Callable[[Key], None]) -> None:
        self._store = store
        self._applier = applier
        self._queue_key = queue_key

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
        # Nothing but us writes these, so what comes back of our own writes is no news.
        if not (kind in OURS_ALONE and self._applier.has_written(name, version_of(body))):
            self._queue_keys(kind, before, body)

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

    def _take_deletion(self, kind: Kind, body: Body) -> None:
        self._store.drop(kind, body)
        self._applier.forget((kind.value, namespace_of(body), name_of(body)))
        self._queue_keys(kind, None, body)

    def _queue_keys(self, kind: Kind, before: Body | None, after: Body) -> None:
        for key in find_keys(self._store, kind, before, after):
            self._queue_key(key)
