"""The observer: all that is known of one ModelDeployment at one moment, as a snapshot for the plan."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

from tidegate.history import Stay
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.status import ModelDeploymentStatus
from tidegate_operator.observe.envoy import RouterCounts
from tidegate_operator.observe.gate_runs import parse_gate_run
from tidegate_operator.observe.ledger import Counts, Ledger
from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import Body, Key, Kind, Store, labels_of, name_of, uid_of
from tidegate_operator.observe.workloads import parse_revision, parse_workload
from tidegate_operator.plan.facts import GateRun, Revision, Snapshot, Traffic, Workload
from tidegate_operator.plan.identity import DEPLOYMENT_LABEL, GATES_LABEL, select_pods
from tidegate_operator.plan.plan import Plan
from tidegate_operator.plan.release_policy import Vouching

ROUTER_SELECTOR = {"app.kubernetes.io/component": "router", "app.kubernetes.io/part-of": "tidegate"}
# Requests under way when the split changes end under the old one, and Envoy adds up its histograms each second.
SETTLE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Observation:
    """A snapshot, and which counts went into it, so that they can be committed once the plan is stored."""

    snapshot: Snapshot
    used: Mapping[str, tuple[Counts, Counts]]
    """By revision: what routers and what predictors counted."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What the last look decided for a ModelDeployment, stored or not."""

    uid: str
    """Of the ModelDeployment: a namesake inherits nothing."""
    status: ModelDeploymentStatus
    histories: Mapping[str, tuple[Stay, ...]]
    """By revision: those of which the records did not tell all."""


class Observer:
    """Makes snapshots from the store and from what routers and predictors count."""

    def __init__(
        self,
        store: Store,
        scraper: Scraper,
        *,
        version_of_routes: Callable[[str], str],
        seen_seconds: Callable[[], float],
        now: Callable[[], datetime],
        vouch: Callable[[ModelVersion], Vouching],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._scraper = scraper
        self._version_of_routes = version_of_routes
        self._seen_seconds = seen_seconds
        self._now = now
        self._vouch = vouch
        self._started_at = now()
        self._clock = clock
        self._routers = Ledger()
        self._predictors = Ledger()
        self._sources: dict[Key, set[tuple[Key, str] | tuple[Key, str, str]]] = defaultdict(set)
        self._settled_at: dict[Key, float] = {}
        self._decided: dict[Key, Decided] = {}

    async def read(self, key: Key) -> Observation | None:
        """What is known now; none if the ModelDeployment is gone or going."""
        body = self._store.find(Kind.MODEL_DEPLOYMENT, key.namespace, key.name)
        if body is None or body["metadata"].get("deletionTimestamp"):
            return None
        deployment = self._go_on_from(key, ModelDeployment.model_validate(body))
        revisions = self._find_revisions(key, uid_of(body))
        names = [revision.name for revision in revisions]
        # Where nobody is compared nobody need be asked: a thousand models at rest cost no scrape.
        if _is_at_rest(deployment):
            self._stop_counting(key, names)
            routers: Mapping[str, RouterCounts] = {}
        else:
            routers = await self._read_counts(key, names) if names else {}
        used = {name: self._find_pending(key, name) for name in names}
        versions = self._find_versions(deployment)
        snapshot = Snapshot(
            deployment=deployment,
            version=versions.get(deployment.spec.model_version),
            revisions=tuple(revisions),
            workloads=self._find_workloads(key),
            traffic={
                name: _build_traffic(*used[name], healthy=_count_healthy(name, routers)) for name in names
            },
            routers=len(routers),
            routes_known=self._know_routes(key.namespace, routers),
            router=self._find_router(key.namespace),
            gate_runs=self._find_gate_runs(key),
            vouchings={name: self._vouch(version) for name, version in versions.items()},
            seen_seconds=self._seen_seconds(),
        )
        return Observation(snapshot, used)

    def commit(self, key: Key, observation: Observation, plan: Plan, *, split_changed: bool) -> None:
        """A plan was made: its status holds these counts now, and the next look goes on from it.

        The status in memory counts, not the one that the API server has: were a decision forgotten because it
        could not be written, a candidate just taken back would get traffic again.
        """
        self.remember(key, observation, plan)
        for revision, (routed, predicted) in observation.used.items():
            self._routers.commit((key, revision), routed)
            self._predictors.commit((key, revision), predicted)
        if split_changed:
            self._settled_at[key] = self._clock() + SETTLE_SECONDS

    def remember(self, key: Key, observation: Observation, plan: Plan) -> None:
        """The decisions that the next look goes on from, stored or not.

        Without the histories, a watch that lags behind our own write would have it written once more, from less.
        """
        uid = observation.snapshot.deployment.metadata.uid
        self._decided[key] = Decided(uid, plan.status, plan.histories)

    def forget(self, key: Key, revisions: Iterable[str]) -> None:
        """The ModelDeployment is gone."""
        self._settled_at.pop(key, None)
        self._decided.pop(key, None)
        self._stop_counting(key, revisions)

    def _recall(self, key: Key, uid: str) -> Decided | None:
        decided = self._decided.get(key)
        return decided if decided and decided.uid == uid else None

    def _go_on_from(self, key: Key, deployment: ModelDeployment) -> ModelDeployment:
        """The ModelDeployment with the status that we decided last, stored or not."""
        decided = self._recall(key, deployment.metadata.uid)
        return deployment.model_copy(update={"status": decided.status}) if decided else deployment

    def _find_revisions(self, key: Key, uid: str) -> list[Revision]:
        """The ControllerRevisions of this very ModelDeployment, not of a namesake that was deleted."""
        bodies = self._store.select(Kind.CONTROLLER_REVISION, key.namespace, {DEPLOYMENT_LABEL: key.name})
        mine = [body for body in bodies if _is_owned_by(body, uid)]
        decided = self._recall(key, uid)
        told = decided.histories if decided else {}
        found = (parse_revision(body) for body in mine)
        known = [replace(one, history=told.get(one.name, one.history)) for one in found]
        return sorted(known, key=lambda revision: revision.number)

    def _find_versions(self, deployment: ModelDeployment) -> dict[str, ModelVersion]:
        """The ModelVersion that the spec names, and the candidate's, if they are there."""
        candidate = deployment.status.candidate
        names = {deployment.spec.model_version, *([candidate.model_version] if candidate else [])}
        namespace = deployment.metadata.namespace
        bodies = {name: self._store.find(Kind.MODEL_VERSION, namespace, name) for name in names}
        return {name: ModelVersion.model_validate(body) for name, body in bodies.items() if body}

    def _find_workloads(self, key: Key) -> dict[str, Workload]:
        deployments = self._store.select(Kind.DEPLOYMENT, key.namespace, {DEPLOYMENT_LABEL: key.name})
        return {
            name_of(body): parse_workload(
                body, self._store.select(Kind.POD, key.namespace, select_pods(key.name, name_of(body)))
            )
            for body in deployments
            if not body["metadata"].get("deletionTimestamp")
        }

    def _find_gate_runs(self, key: Key) -> dict[str, GateRun]:
        jobs = self._store.select(Kind.JOB, key.namespace, {DEPLOYMENT_LABEL: key.name})
        return {
            name_of(job): parse_gate_run(
                job,
                self._store.select(
                    Kind.POD, key.namespace, {DEPLOYMENT_LABEL: key.name, GATES_LABEL: name_of(job)}
                ),
            )
            for job in jobs
            if not job["metadata"].get("deletionTimestamp")
        }

    def _find_router(self, namespace: str) -> Workload | None:
        found = self._store.select(Kind.DEPLOYMENT, namespace, ROUTER_SELECTOR)
        pods = self._store.select(Kind.POD, namespace, ROUTER_SELECTOR)
        return parse_workload(found[0], pods) if found else None

    async def _read_counts(self, key: Key, revisions: list[str]) -> Mapping[str, RouterCounts]:
        """Ask all pods at once, write into the ledgers, and answer what each router said."""
        router_pods = self._find_running(key.namespace, ROUTER_SELECTOR)
        predictor_pods = self._find_running(key.namespace, select_pods(key.name))
        routers, predictors = await asyncio.gather(
            self._scraper.read_routers(_find_addresses(router_pods), revisions),
            self._scraper.read_predictors(_find_addresses(predictor_pods)),
        )
        for name, router in routers.items():
            routed: dict[Hashable, Counts] = {(key, rev): c.counts for rev, c in router.clusters.items()}
            self._sources[key].add((key, name))
            self._routers.record((key, name), routed, fresh=self._is_fresh(router_pods[name]))
        for name, counted in predictors.items():
            predicted: dict[Hashable, Counts] = {(key, counted.revision): (counted.not_finite,)}
            fresh = self._is_fresh(predictor_pods[name])
            self._sources[key].add((key, name, counted.process))
            self._predictors.record((key, name, counted.process), predicted, fresh=fresh)
        self._forget_gone(key, router_pods.keys() | predictor_pods.keys())
        if self._clock() < self._settled_at.get(key, 0.0):
            for revision in revisions:
                self._routers.rebase((key, revision))
                self._predictors.rebase((key, revision))
        return routers

    def _forget_gone(self, key: Key, living: AbstractSet[str]) -> None:
        """Pods that are gone count no more; without this, what they once said would be kept for ever."""
        gone = {source for source in self._sources[key] if source[1] not in living}
        self._sources[key] -= gone
        for ledger in (self._routers, self._predictors):
            ledger.forget(sources=gone)

    def _stop_counting(self, key: Key, revisions: Iterable[str]) -> None:
        """What comes next begins with counts of its own."""
        sources, subjects = self._sources.pop(key, ()), [(key, revision) for revision in revisions]
        for ledger in (self._routers, self._predictors):
            ledger.forget(sources=sources, subjects=subjects)

    def _find_pending(self, key: Key, revision: str) -> tuple[Counts, Counts]:
        return self._routers.pending_of((key, revision)), self._predictors.pending_of((key, revision))

    def _know_routes(self, namespace: str, routers: Mapping[str, RouterCounts]) -> bool:
        if not routers:
            return False  # without asking: what is decided would have to be rendered for it
        decided = self._version_of_routes(namespace)
        return all(router.routes_version == decided for router in routers.values())

    def _find_running(self, namespace: str, labels: Mapping[str, str]) -> dict[str, Body]:
        pods = self._store.select(Kind.POD, namespace, labels)
        # The predictor beside gates answers these alone, and what it counts is nobody's traffic.
        return {
            name_of(pod): pod
            for pod in pods
            if pod.get("status", {}).get("podIP") and GATES_LABEL not in labels_of(pod)
        }

    def _is_fresh(self, pod: Body) -> bool:
        """Whether all that this pod counted came after us; then nothing of it was told before.

        One from the future is older than a clock that was set back: what it counted is not news.
        """
        started = pod["status"].get("startTime")
        return bool(started) and self._started_at < datetime.fromisoformat(started) <= self._now()


def _is_at_rest(deployment: ModelDeployment) -> bool:
    """Whether the version of the spec is in service and nobody wants its place."""
    stable = deployment.status.stable
    wanted = deployment.spec.model_version
    return deployment.status.candidate is None and stable is not None and stable.model_version == wanted


def has_router(store: Store, namespace: str, address: str) -> bool:
    """Whether a router of the namespace has this address, as far as the watch has told."""
    routers = store.select(Kind.POD, namespace, ROUTER_SELECTOR)
    return any(address in (ip["ip"] for ip in pod.get("status", {}).get("podIPs") or ()) for pod in routers)


def _find_addresses(pods: Mapping[str, Body]) -> dict[str, str]:
    return {
        name: pod["status"]["podIP"] for name, pod in pods.items() if pod["status"].get("phase") == "Running"
    }


def _is_owned_by(body: Body, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in body["metadata"].get("ownerReferences") or ())


def _count_healthy(revision: str, routers: Mapping[str, RouterCounts]) -> int:
    """The fewest endpoints that any router holds healthy: the slowest to learn decides."""
    found = (router.clusters.get(revision) for router in routers.values())
    return min((counts.healthy if counts else 0 for counts in found), default=0)


def _build_traffic(routed: Counts, predicted: Counts, *, healthy: int) -> Traffic:
    requests, failed, *latency = routed or (0, 0)
    (not_finite,) = predicted or (0,)
    return Traffic(requests, failed, tuple(latency), not_finite, healthy)
