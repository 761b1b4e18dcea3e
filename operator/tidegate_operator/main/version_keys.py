"""Keys of ModelVersions: which of them are something else to somebody, since an object changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tidegate_operator.observe.store import (
    Body,
    Key,
    Kind,
    Store,
    find_versions_named,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from tidegate_operator.observe.versions import (
    find_versions_of_pod,
    parse_deployment,
    parse_predictor,
    parse_record,
)
from tidegate_operator.plan.facts import Trouble
from tidegate_operator.plan.identity import DEPLOYMENT_LABEL


def find_version_keys(store: Store, kind: Kind, before: Body | None, after: Body | None) -> Iterator[Key]:
    """The ModelVersions that a change concerns; none before: it is new, none after: it is gone."""
    body = after or before
    if body is not None:
        namespace = namespace_of(body)
        for name in sorted(_find_names(store, kind, before, after)):
            yield Key(namespace, name, Kind.MODEL_VERSION)


def _find_names(store: Store, kind: Kind, before: Body | None, after: Body | None) -> set[str]:
    body: Body = after or before or {}
    match kind:
        case Kind.MODEL_VERSION:
            # Our own status writes come back as changes too; they are no news.
            same = before is not None and after is not None and uid_of(before) == uid_of(after)
            return set() if same else {name_of(body)}
        case Kind.MODEL_DEPLOYMENT:
            return _find_of_deployment(store, before, after)
        case Kind.CONTROLLER_REVISION if _say_record(before) != _say_record(after):
            return set(find_versions_named(kind, body))
        case Kind.POD if labels_of(body).get(DEPLOYMENT_LABEL) and _say_pod(before) != _say_pod(after):
            return find_versions_of_pod(store, namespace_of(body), body)
        case _:
            return set()


def _find_of_deployment(store: Store, before: Body | None, after: Body | None) -> set[str]:
    """Those whose place changed; of one that comes or goes all that it names, and all that it has a record of."""
    places = [_find_places(body) for body in (before, after)]
    found = {version for version, _ in places[0] ^ places[1]}
    if _lives(before) != _lives(after):
        body: Body = after or before or {}
        labels = {DEPLOYMENT_LABEL: name_of(body)}
        for record in store.select(Kind.CONTROLLER_REVISION, namespace_of(body), labels):
            found |= find_versions_named(Kind.CONTROLLER_REVISION, record)
    return found


def _find_places(body: Body | None) -> set[tuple[str, str]]:
    """The versions that a ModelDeployment names, each with a word that is another one if its place is."""
    if body is None or not _lives(body):
        return set()
    fact, gates = parse_deployment(body), (body.get("status") or {}).get("gates")
    roles = {"stable": fact.stable, "candidate": fact.candidate, "warm": fact.warm}
    places = {(role.model_version, f"{place} {role.revision}") for place, role in roles.items() if role}
    places |= {(entry.model_version, f"refused {entry.reason}") for entry in fact.refused}
    return places | {(fact.wanted, "wanted")} | ({(gates["modelVersion"], gates["run"])} if gates else set())


def _lives(body: Body | None) -> str:
    """The uid of a ModelDeployment that is there to stay; a namesake is another one."""
    return uid_of(body) if body and not body["metadata"].get("deletionTimestamp") else ""


def _say_record(body: Body | None) -> Any:  # noqa: ANN401 - it is compared, and nothing else
    return parse_record(body) if body and find_versions_named(Kind.CONTROLLER_REVISION, body) else None


def _say_pod(body: Body | None) -> Any:  # noqa: ANN401 - as above
    """What a pod tells of its version: that it has loaded it, or why it has not."""
    if body is None:
        return None
    fact = parse_predictor(body)
    said = fact.trouble is Trouble.START_FAILED
    return (fact.ready, fact.reason, fact.message) if said else (fact.ready, "", "")
