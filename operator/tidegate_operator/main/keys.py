"""Keys: who has to be looked at when something changed."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_operator.observe.store import Body, Key, Kind, Store, labels_of, name_of, namespace_of
from tidegate_operator.observe.workloads import takes_requests
from tidegate_operator.plan.identity import DEPLOYMENT_LABEL
from tidegate_operator.routing.router import ROUTER_SELECTOR


def find_keys(store: Store, kind: Kind, before: Body | None, after: Body) -> Iterator[Key]:
    """The keys that a change from `before` (none: unknown until now) to `after` concerns."""
    namespace, name = namespace_of(after), name_of(after)
    match kind:
        case Kind.MODEL_DEPLOYMENT:
            # Our own status writes come back as changes too; they are no news.
            if before is None or _wish_of(before) != _wish_of(after):
                yield Key(namespace, name)
                yield Key(namespace)
        case Kind.MODEL_VERSION:
            if before is None or _wish_of(before) != _wish_of(after):
                for deployment in store.select_naming(Kind.MODEL_DEPLOYMENT, namespace, name):
                    if deployment["spec"].get("modelVersion") == name:
                        yield Key(namespace, name_of(deployment))
        case _:
            yield from _find_concerned(store, kind, before, after)


def find_all_keys(store: Store) -> Iterator[Key]:
    """Every ModelDeployment, the router of every namespace that has one, and every ModelVersion."""
    for namespace in store.namespaces_of(Kind.MODEL_DEPLOYMENT):
        yield Key(namespace)
    for kind in (Kind.MODEL_DEPLOYMENT, Kind.MODEL_VERSION):
        for namespace in store.namespaces_of(kind):
            for name in store.names_of(kind, namespace):
                yield Key(namespace, name, kind)


def _wish_of(body: Body) -> tuple[object, ...]:
    metadata = body["metadata"]
    return (
        metadata.get("uid"),
        metadata.get("generation"),
        metadata.get("annotations"),
        metadata.get("deletionTimestamp"),
    )


def _find_concerned(store: Store, kind: Kind, before: Body | None, after: Body) -> Iterator[Key]:
    """Of an object that we made, or that was made for us."""
    namespace, labels = namespace_of(after), labels_of(after)
    if owner := labels.get(DEPLOYMENT_LABEL):
        yield Key(namespace, owner)
    elif kind in (Kind.DEPLOYMENT, Kind.POD) and ROUTER_SELECTOR.items() <= labels.items():
        if kind is Kind.DEPLOYMENT:
            yield Key(namespace)
        if _is_for_all(store, before, after):
            for model in store.names_of(Kind.MODEL_DEPLOYMENT, namespace):
                yield Key(namespace, model)


def _is_for_all(store: Store, before: Body | None, after: Body) -> bool:
    """Whether every model behind a router has to tell this: none takes requests, or now the first one does."""
    pods = store.select(Kind.POD, namespace_of(after), ROUTER_SELECTOR)
    taking = [name_of(pod) for pod in pods if takes_requests(pod)]
    return not taking or (taking == [name_of(after)] and not (before and takes_requests(before)))
