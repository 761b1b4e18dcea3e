"""Versions: all that is known of one ModelVersion at one moment, as a snapshot for the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tidegate.loaded import LoadedBundle
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.observe.gate_runs import parse_gate_predictor
from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import (
    Body,
    Key,
    Kind,
    Store,
    find_versions_named,
    labels_of,
    name_of,
    uid_of,
)
from tidegate_operator.observe.workloads import parse_pod
from tidegate_operator.plan.facts import PodFact
from tidegate_operator.plan.identity import (
    DEPLOYMENT_LABEL,
    GATES_LABEL,
    PROMOTED_ANNOTATION,
    REVISION_LABEL,
    select_pods,
)
from tidegate_operator.plan.release_policy import Vouching
from tidegate_operator.plan.users import DeploymentFact, Record, Refused, Role
from tidegate_operator.plan.version import VersionSnapshot

# A pod that is older than this operator does not know the question, and one behind a wall never answers it.
MOST_TRIES: Final = 3
ROLES: Final = ("stable", "candidate", "warm")


class VersionObserver:
    """Makes snapshots from the store; asks a predictor once, if nobody has told yet what the bundle holds."""

    def __init__(self, store: Store, scraper: Scraper, *, vouch: Callable[[ModelVersion], Vouching]) -> None:
        self._store = store
        self._scraper = scraper
        self._vouch = vouch
        self._tries: dict[Key, dict[str, int]] = {}
        """How often pods were asked in vain, by their uids."""

    async def read(self, key: Key) -> VersionSnapshot | None:
        """What is known now; none if the ModelVersion is gone or going."""
        body = self._store.find(Kind.MODEL_VERSION, key.namespace, key.name)
        if body is None or body["metadata"].get("deletionTimestamp"):
            self._tries.pop(key, None)
            return None
        version = ModelVersion.model_validate(body)
        naming = self._store.select_naming(Kind.MODEL_DEPLOYMENT, key.namespace, key.name)
        records = self._store.select_naming(Kind.CONTROLLER_REVISION, key.namespace, key.name)
        pods = find_predictors(self._store, key, naming, records)
        asked, loaded = (False, None) if version.status.signature else await self._ask(key, version, pods)
        return VersionSnapshot(
            version=version,
            vouching=self._vouch(version),
            deployments=tuple(self._find_deployments(key.namespace, naming, records)),
            records=tuple(parse_record(record) for record in records),
            predictors={name_of(pod): parse_predictor(pod) for pod in pods},
            asked=asked,
            loaded=loaded,
        )

    def _find_deployments(
        self, namespace: str, naming: Iterable[Body], records: Iterable[Body]
    ) -> Iterable[DeploymentFact]:
        """Those that name the version, and those that have a record of it, unless they are being deleted."""
        found = {name_of(body): body for body in naming}
        for owner in {labels_of(record).get(DEPLOYMENT_LABEL, "") for record in records} - found.keys():
            if body := self._store.find(Kind.MODEL_DEPLOYMENT, namespace, owner):
                found[owner] = body
        for _, body in sorted(found.items()):
            if not body["metadata"].get("deletionTimestamp"):
                yield parse_deployment(body)

    async def _ask(
        self, key: Key, version: ModelVersion, pods: Iterable[Body]
    ) -> tuple[bool, LoadedBundle | None]:
        """Whether one of the pods that serve it was asked, and what it told. Those that hold gates answer nobody."""
        serving = {uid_of(pod): pod for pod in pods if GATES_LABEL not in labels_of(pod)}
        tries = {uid: count for uid, count in self._tries.pop(key, {}).items() if uid in serving}
        for uid, pod in serving.items():
            address = pod.get("status", {}).get("podIP")
            if not (address and parse_pod(pod).ready and tries.get(uid, 0) < MOST_TRIES):
                continue
            found = await self._scraper.read_bundle(name_of(pod), address)
            if found and found.digest == version.spec.digest:
                return True, found
            self._tries[key] = tries | {uid: tries.get(uid, 0) + 1}
            return True, None
        if tries:
            self._tries[key] = tries
        return False, None


def find_predictors(store: Store, key: Key, naming: Iterable[Body], records: Iterable[Body]) -> list[Body]:
    """The pods that were to load a version, for whichever ModelDeployment, those that hold gates among them."""
    wanted = {(labels_of(record).get(DEPLOYMENT_LABEL, ""), name_of(record), "") for record in records}
    for body in naming:
        status, name = body.get("status") or {}, name_of(body)
        roles = [status[place] for place in ROLES if _is_of(status.get(place), key.name)]
        # The same bytes under another name are the same revision, whose record has the name that came first.
        wanted |= {(name, role["revision"], "") for role in roles}
        if _is_of(status.get("gates"), key.name):
            wanted.add((name, "", status["gates"]["run"]))
    return [
        pod
        for deployment, revision, run in sorted(wanted)
        for pod in store.select(
            Kind.POD,
            key.namespace,
            {DEPLOYMENT_LABEL: deployment, GATES_LABEL: run} if run else select_pods(deployment, revision),
        )
    ]


def find_versions_of_pod(store: Store, namespace: str, pod: Body) -> set[str]:
    """The ModelVersions that a pod was to load: one, but for the same bytes under another name."""
    labels = labels_of(pod)
    deployment = store.find(Kind.MODEL_DEPLOYMENT, namespace, labels.get(DEPLOYMENT_LABEL, ""))
    status: Mapping[str, Any] = (deployment or {}).get("status") or {}
    if run := labels.get(GATES_LABEL):
        gates = status.get("gates") or {}
        return {gates["modelVersion"]} if gates.get("run") == run else set()
    revision = labels.get(REVISION_LABEL, "")
    roles = [status.get(place) or {} for place in ROLES]
    found = {role["modelVersion"] for role in roles if role.get("revision") == revision}
    if record := store.find(Kind.CONTROLLER_REVISION, namespace, revision):
        found |= find_versions_named(Kind.CONTROLLER_REVISION, record)
    return found


def parse_deployment(body: Body) -> DeploymentFact:
    """As much of a ModelDeployment as matters to the versions that it names."""
    status = body.get("status") or {}
    stable, candidate, warm = (_parse_role(status.get(place)) for place in ROLES)
    return DeploymentFact(
        name=name_of(body),
        uid=uid_of(body),
        wanted=body["spec"]["modelVersion"],
        stable=stable,
        candidate=candidate,
        warm=warm,
        refused=tuple(
            Refused(entry["modelVersion"], entry["digest"], entry["reason"], entry["message"])
            for entry in status.get("rejected") or ()
        ),
    )


def parse_record(body: Body) -> Record:
    """As much of a ControllerRevision as matters to the version that it is of."""
    owners: list[dict[str, Any]] = body["metadata"].get("ownerReferences") or [{}]
    annotations = body["metadata"].get("annotations") or {}
    return Record(
        revision=name_of(body),
        owner_uid=str(owners[0].get("uid", "")),
        digest=str(body["data"].get("digest", "")),
        promoted=annotations.get(PROMOTED_ANNOTATION) == "true",
    )


def parse_predictor(pod: Body) -> PodFact:
    """A pod that was to load a version; it is ready if it has."""
    return parse_gate_predictor(pod) if GATES_LABEL in labels_of(pod) else parse_pod(pod)


def _parse_role(role: Mapping[str, Any] | None) -> Role | None:
    return Role(role["revision"], role["modelVersion"]) if role else None


def _is_of(role: Mapping[str, Any] | None, version: str) -> bool:
    return bool(role) and (role or {}).get("modelVersion") == version
