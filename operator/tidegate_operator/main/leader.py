"""Leading: everything that only the holder of the Lease does, put together."""

from __future__ import annotations

import asyncio
import logging
import random

import aiohttp

from tidegate_operator.act.applier import Applier, Name
from tidegate_operator.act.cluster import Cluster, ClusterError
from tidegate_operator.act.recorder import Recorder
from tidegate_operator.act.status import StatusWriter
from tidegate_operator.main.census import Census
from tidegate_operator.main.clock import SteadyClock
from tidegate_operator.main.health import serve
from tidegate_operator.main.intake import Intake
from tidegate_operator.main.keys import find_all_keys
from tidegate_operator.main.lease import PatientLease
from tidegate_operator.main.memory import give_back_memory
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.main.queue import Queue
from tidegate_operator.main.reach import EVERYWHERE, Reach
from tidegate_operator.main.reconciler import Parts, Reconciler
from tidegate_operator.main.settings import Settings
from tidegate_operator.main.versions import VersionParts, VersionReconciler
from tidegate_operator.main.watches import Watches
from tidegate_operator.observe.observer import Observer, has_router
from tidegate_operator.observe.releases import Releases
from tidegate_operator.observe.scrape import Scraper
from tidegate_operator.observe.store import Body, Key, Kind, Store
from tidegate_operator.observe.versions import VersionObserver
from tidegate_operator.plan.planner import plan
from tidegate_operator.plan.render import RenderSettings
from tidegate_operator.routing.discovery import Discovery, believe_everybody
from tidegate_operator.routing.policies import Neighbours
from tidegate_operator.routing.router import RouterSettings
from tidegate_operator.routing.table import RouteTable

logger = logging.getLogger(__name__)

RESYNC_SECONDS = 300.0
"""How long a missed event, or an object that someone changed behind our back, stays unmended."""
VERSION_WORKERS = 2
VERSION_PAUSE_SECONDS = 0.3
"""What is done to a ModelDeployment changes several objects, and its version's status but once."""
VERSION_SPREAD_SECONDS = 10.0
"""After a start the models come first: nobody waits for the status of a version."""


class Leader:
    """The leader's memory, its queue and its servers."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        *,
        session: aiohttp.ClientSession,
        metrics: Metrics,
        lease: PatientLease,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._metrics = metrics
        self._lease = lease
        self._store = Store()
        clock = SteadyClock()
        self._table = RouteTable()
        is_router = self._store_has_router if settings.check_router_addresses else believe_everybody
        self._discovery = Discovery(self._table, is_router=is_router)
        self._applier = Applier(cluster, find=self._find)
        scraper, census = Scraper(session), Census(metrics)
        vouch = Releases(settings.release_policies).check
        self._version_reconciler = VersionReconciler(
            VersionParts(self._store, cluster, VersionObserver(self._store, scraper, vouch=vouch), census),
            now=clock.now,
        )
        self._reconciler = Reconciler(
            Parts(
                store=self._store,
                table=self._table,
                discovery=self._discovery,
                observer=Observer(
                    self._store,
                    scraper,
                    version_of_routes=self._discovery.version_of_routes,
                    seen_seconds=lambda: lease.answered_seconds,
                    now=clock.now,
                    vouch=vouch,
                ),
                applier=self._applier,
                status=StatusWriter(cluster),
                recorder=Recorder(cluster, settings.identity),
                census=census,
            ),
            make_plan=plan,
            render=RenderSettings(
                settings.predictor_image, settings.pull_secrets, log_format=settings.log_format
            ),
            router=_build_router_settings(settings),
            now=clock.now,
            queue_key=self._queue_key,
        )
        self.ready = False
        """Whether routers are answered."""
        self._queue = Queue(self._work)
        # Apart, so that no number of versions stands before a candidate that fails.
        self._version_queue = Queue(self._work_on_version, workers=VERSION_WORKERS)
        self._intake = Intake(self._store, self._applier, self._queue_key)
        self._reach = Reach(cluster, self._intake, store=self._store, table=self._table, metrics=metrics)

    async def lead(self) -> None:
        """Lead until something ends; the order is that of who relies on whom."""
        wanted = self._settings.watch_namespaces
        served = await self._reach.open(wanted)
        # Only now may routers ask: an empty answer would take their routes away.
        runner = await serve(
            self._discovery.build_application(lambda: self._lease.certain), self._settings.xds_port
        )
        try:
            self.ready = True
            self._queue_everything()
            async with asyncio.TaskGroup() as tasks:
                watches = Watches(self._intake)
                watching = tasks.create_task(watches.run(served))
                others = [
                    tasks.create_task(self._queue.run()),
                    tasks.create_task(self._version_queue.run()),
                    tasks.create_task(self._resync()),
                    tasks.create_task(give_back_memory()),
                    tasks.create_task(
                        self._reach.widen(set(wanted) - set(served), watches, self._queue_everything)
                    ),
                ]
                await watching
                for task in others:
                    task.cancel()
        finally:
            self.ready = False
            await runner.cleanup()

    def _store_has_router(self, namespace: str, address: str) -> bool:
        return has_router(self._store, namespace, address)

    @property
    def queue_depth(self) -> int:
        """Keys that are due and wait."""
        return self._queue.depth + self._version_queue.depth

    def _queue_key(self, key: Key) -> None:
        if key.kind is Kind.MODEL_VERSION:
            self._version_queue.add(key, after_seconds=VERSION_PAUSE_SECONDS)
        else:
            self._queue.add(key)

    def _find(self, name: Name) -> Body | None:
        kind, namespace, name_ = name
        return self._store.find(Kind(kind), namespace, name_) if kind in set(Kind) else None

    async def _work(self, key: Key) -> float | None:
        with self._metrics.reconcile_seconds.time(), self._metrics.reconcile_errors.count_exceptions():
            await self._intake.verify(self._cluster, key)
            return await self._reconciler.reconcile(key)

    async def _work_on_version(self, key: Key) -> float | None:
        with self._metrics.reconcile_errors.count_exceptions():
            return await self._version_reconciler.reconcile(key)

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            try:
                for namespace in self._settings.watch_namespaces or (EVERYWHERE,):
                    await self._reach.take(namespace)
            except ClusterError as error:
                logger.warning(
                    "what there is could not be listed, next try in %d s: %s", RESYNC_SECONDS, error
                )
                continue
            self._applier.forget_unseen()
            self._queue_everything(within_seconds=RESYNC_SECONDS / 2)

    def _queue_everything(self, *, within_seconds: float = 2.0) -> None:
        """Spread by chance: a thousand models at once would crowd out the one that fails just now."""
        chance = random.random
        for key in find_all_keys(self._store):
            if key.kind is Kind.MODEL_VERSION:
                spread = max(within_seconds, VERSION_SPREAD_SECONDS)
                self._version_queue.add(key, after_seconds=spread * chance())
            else:
                self._queue.add(key, after_seconds=within_seconds * chance())


def _build_router_settings(settings: Settings) -> RouterSettings:
    neighbours = Neighbours(settings.namespace, settings.xds_port, settings.metrics_from)
    return RouterSettings(
        settings.router_image,
        settings.xds_host,
        settings.xds_port,
        settings.router_replicas,
        neighbours if settings.network_policies else None,
        settings.router_placement,
        settings.pull_secrets,
    )
