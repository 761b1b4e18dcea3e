"""A reconciler with everything around it, in memory."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import aiohttp
from tests.unit.act.fake_cluster import FakeCluster

from tidegate_operator.act.applier import Applier
from tidegate_operator.act.recorder import Recorder
from tidegate_operator.act.status import StatusWriter
from tidegate_operator.main.census import Census
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.main.reconciler import Parts, Reconciler
from tidegate_operator.observe.observer import Observer
from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import Key, Kind, Store
from tidegate_operator.plan.facts import Snapshot
from tidegate_operator.plan.plan import Plan
from tidegate_operator.plan.planner import plan
from tidegate_operator.plan.release_policy import NotWanted
from tidegate_operator.plan.render import RenderSettings
from tidegate_operator.routing.discovery import Discovery
from tidegate_operator.routing.router import RouterSettings
from tidegate_operator.routing.table import RouteTable

FRAUD = Key("shop", "fraud")


class World:
    """A reconciler over an API server that can be away; its plan is the one that is told, or else the real one."""

    def __init__(self, session: aiohttp.ClientSession, *, told: Plan | None = None) -> None:
        self.cluster = FakeCluster()
        self.table = RouteTable()
        self.store = Store()
        self.queued: list[Key] = []
        self.seen: list[Snapshot] = []
        self.plan = told
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.metrics = Metrics()
        discovery = Discovery(self.table)
        parts = Parts(
            store=self.store,
            table=self.table,
            discovery=discovery,
            observer=Observer(
                self.store,
                Scraper(session),
                version_of_routes=discovery.version_of_routes,
                seen_seconds=lambda: math.inf,
                now=lambda: self.now,
                vouch=lambda _: NotWanted(),
            ),
            applier=Applier(self.cluster, find=lambda _: None),
            status=StatusWriter(self.cluster),
            recorder=Recorder(self.cluster, "me"),
            census=Census(self.metrics),
        )
        self.reconciler = Reconciler(
            parts,
            make_plan=self._make_plan,
            render=RenderSettings("predictor"),
            router=RouterSettings("router", "xds", 18000),
            now=lambda: self.now,
            queue_key=self.queued.append,
        )

    def put_deployment(self, **metadata: Any) -> None:
        """A ModelDeployment is there."""
        body = {
            "apiVersion": "tidegate.io/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {
                "name": "fraud",
                "namespace": "shop",
                "uid": "u1",
                "resourceVersion": "1",
                **metadata,
            },
            "spec": {"modelVersion": "fraud-2"},
        }
        self.store.put(Kind.MODEL_DEPLOYMENT, body)

    async def look(self) -> float | None:
        """One look at the ModelDeployment."""
        return await self.reconciler.reconcile(FRAUD)

    def _make_plan(self, snapshot: Snapshot, now: datetime, settings: RenderSettings) -> Plan:
        self.seen.append(snapshot)
        return self.plan or plan(snapshot, now, settings)
