"""The reconciler: snapshot → plan → act, for one ModelDeployment or one router at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from tidegate_operator.act.applier import Applier
from tidegate_operator.act.cluster import ClusterError
from tidegate_operator.act.recorder import Recorder
from tidegate_operator.act.status import StatusWriter
from tidegate_operator.main.census import Census
from tidegate_operator.main.queue import describe
from tidegate_operator.main.refusals import Refusals
from tidegate_operator.observe.observer import Observation, Observer
from tidegate_operator.observe.store import Key, Kind, Store, name_of, uid_of
from tidegate_operator.plan.facts import Manifest, Snapshot
from tidegate_operator.plan.plan import Event, Plan, Route
from tidegate_operator.plan.render import RenderSettings
from tidegate_operator.routing.discovery import Discovery
from tidegate_operator.routing.memory import build_memory
from tidegate_operator.routing.router import (
    Owner,
    RouterSettings,
    build_entrance,
    build_router,
    refer_to_all,
)
from tidegate_operator.routing.table import RouteTable, name_all

logger = logging.getLogger(__name__)


class MakePlan(Protocol):
    """`tidegate_operator.plan.plan`."""

    def __call__(self, snapshot: Snapshot, now: datetime, settings: RenderSettings) -> Plan:
        """What should be done."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a reconciler works with."""

    store: Store
    table: RouteTable
    discovery: Discovery
    observer: Observer
    applier: Applier
    status: StatusWriter
    recorder: Recorder
    census: Census


class Reconciler:
    """Brings one key at a time to what it should be."""

    def __init__(
        self,
        parts: Parts,
        *,
        make_plan: MakePlan,
        render: RenderSettings,
        router: RouterSettings,
        now: Callable[[], datetime],
        queue_key: Callable[[Key], None],
    ) -> None:
        self._parts = parts
        self._make_plan = make_plan
        self._render = render
        self._router = router
        self._now = now
        self._queue_key = queue_key
        self._refusals = Refusals()

    async def reconcile(self, key: Key) -> float | None:
        """Look at a key once; the seconds until it wants to be looked at again."""
        try:
            if key.name:
                return await self._reconcile_model(key)
            await self._reconcile_router(key.namespace)
        except ClusterError as error:
            if error.refused:
                self._parts.census.count_refusal()
            raise
        return None

    async def _reconcile_model(self, key: Key) -> float | None:
        observation = await self._parts.observer.read(key)
        if observation is None:
            self._let_go(key)
            return None
        now, known = self._now(), self._refusals.concerning(key)
        plan = self._plan(observation, now, refusal=known)
        await self._act(key, observation, plan, refusal=known, now=now)
        return plan.look_again_seconds

    def _plan(self, observation: Observation, now: datetime, *, refusal: str) -> Plan:
        return self._make_plan(replace(observation.snapshot, refusal=refusal), now, self._render)

    async def _act(
        self, key: Key, observation: Observation, plan: Plan, *, refusal: str, now: datetime
    ) -> None:
        parts = self._parts
        # 1. Memory. What is decided is in force before anything is written: an API server that is away must not
        #    keep traffic on a candidate that fails. The status in memory is what the next look goes on from.
        split_changed = self._set_route(key, plan.route)
        parts.observer.commit(key, observation, plan, split_changed=split_changed)
        parts.census.count(key, plan.status)
        for note in plan.notes:
            logger.info("%s", note, extra=describe(key))
        # 2. A new split is stored before any pod goes: whoever starts after a crash must not send requests to
        #    pods that were taken down because nothing was to be sent there.
        body = parts.store.find(Kind.MODEL_DEPLOYMENT, key.namespace, key.name)
        if body is None:
            return
        if split_changed:
            await parts.status.write(body, plan.status)
        # 3. Objects, then what is superfluous.
        refused = await self._apply(key, body, plan)
        # 4. What a person reads. What was refused just now belongs to it: the same look is planned once more.
        if (found := self._refusals.concerning(key)) != refusal:
            plan = self._plan(observation, now, refusal=found)
            parts.observer.remember(key, observation, plan)
        for event in plan.events:
            await parts.recorder.record(body, event, now)
        await parts.status.write(body, plan.status)
        if refused:
            raise refused

    async def _apply(self, key: Key, body: Manifest, plan: Plan) -> ClusterError | None:
        """Write the objects; what the API server refuses comes back, what it can't do now is raised."""
        entrance = build_entrance(key.namespace, Owner(key.name, uid_of(body)))
        try:
            await self._parts.applier.apply((*plan.apply, entrance))
            await self._parts.applier.delete(key.namespace, plan.delete)
        except ClusterError as error:
            if not error.refused:
                raise
            self._refusals.note(key, str(error))
            await self._parts.recorder.record(body, Event("Warning", "NotApplied", str(error)), self._now())
            return error
        self._refusals.note(key, "")
        return None

    def _set_route(self, key: Key, route: Route | None) -> bool:
        before = self._parts.table.route_of(key.namespace, key.name)
        if self._parts.table.set_route(key.namespace, key.name, route):
            self._queue_key(Key(key.namespace))  # what routers remember is to be written anew
        changed = _split_of(before) != _split_of(route)
        if changed:
            self._parts.census.count_route_change()
        return changed

    def _let_go(self, key: Key) -> None:
        """A ModelDeployment that is gone or going: its objects go with it, by their owner references."""
        body = self._parts.store.find(Kind.MODEL_DEPLOYMENT, key.namespace, key.name)
        if body is None:
            revisions = name_all(self._parts.table.route_of(key.namespace, key.name))
            self._parts.table.set_route(key.namespace, key.name, None)
            self._parts.observer.forget(key, revisions)
            self._parts.census.forget(key)
            self._parts.status.forget(key.namespace, key.name)
            self._refusals.note(key, "")

    async def _reconcile_router(self, namespace: str) -> None:
        bodies = self._parts.store.select(Kind.MODEL_DEPLOYMENT, namespace)
        living = [body for body in bodies if not body["metadata"].get("deletionTimestamp")]
        if living:
            owners = [Owner(name_of(body), uid_of(body)) for body in living]
            memory = build_memory(namespace, refer_to_all(owners), self._parts.discovery)
            if memory is None:
                logger.warning(
                    "namespace %s has too many routes for a ConfigMap; no router starts without a leader",
                    namespace,
                )
            # The memory first: a router that starts must find it.
            router = build_router(namespace, owners, self._router)
            await self._apply_router(namespace, (memory, *router) if memory else router)

    async def _apply_router(self, namespace: str, manifests: tuple[Manifest, ...]) -> None:
        refused = None
        try:
            await self._parts.applier.apply(manifests)
        except ClusterError as error:
            if not error.refused:
                raise
            refused = error
        # Whoever stands behind the router has to tell it.
        if self._refusals.note(Key(namespace), str(refused or "")):
            for body in self._parts.store.select(Kind.MODEL_DEPLOYMENT, namespace):
                self._queue_key(Key(namespace, name_of(body)))
        if refused:
            raise refused


def _split_of(route: Route | None) -> tuple[object, ...]:
    """What requests notice of a route."""
    if route is None:
        return ()
    candidate = route.candidate if route.weight or route.mirror else None
    return route.stable, candidate, route.weight, route.mirror
