"""The intake: what watches and lists tell goes into the store, and the keys that it concerns onto the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tidegate_operator.act.applier import Applier
from tidegate_operator.act.cluster import Cluster
from tidegate_operator.main.keys import find_keys
from tidegate_operator.observe.store import Body, Key, Kind, Store, name_of, namespace_of

# Everything that we make carries it, so that the API server sends us nobody else's pods.
OUR_CHILDREN = "app.kubernetes.io/part-of=tidegate"
SELECTORS: Mapping[Kind, str] = {
    Kind.MODEL_VERSION: "",
    Kind.CONTROLLER_REVISION: OUR_CHILDREN,
    Kind.DEPLOYMENT: OUR_CHILDREN,
    Kind.POD: OUR_CHILDREN,
    Kind.MODEL_DEPLOYMENT: "",
}
"""What is watched, and by which label selector."""


class Intake:
    """Takes bodies in."""

    def __init__(self, store: Store, applier: Applier, queue_key: Callable[[Key], None]) -> None:
        self._store = store
        self._applier = applier
        self._queue_key = queue_key

    def take(self, kind: Kind, event: str | None, body: Body) -> None:
        """One event of a watch: `ADDED`, `MODIFIED`, `DELETED`, or none for what was there already."""
        namespace, name = namespace_of(body), name_of(body)
        before = self._store.find(kind, namespace, name)
        if event == "DELETED":
            self._store.drop(kind, body)
            before = None
            self._applier.notice((kind.value, namespace, name), None)
        else:
            self._store.put(kind, body)
            self._applier.notice((kind.value, namespace, name), body["metadata"].get("generation"))
        for key in find_keys(self._store, kind, before, body):
            self._queue_key(key)

    async def take_all(self, cluster: Cluster, namespace: str | None) -> None:
        """List a namespace (none: all): before the first look, and now and then to mend what a watch missed."""
        for kind, selector in SELECTORS.items():
            bodies, version = await cluster.list_all(kind.value, namespace, selector)
            self._store.replace(kind, bodies, namespace=namespace, listed_version=version)
