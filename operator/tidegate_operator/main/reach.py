"""The reach: which namespaces the operator can read, so that one without rights stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from tidegate_operator.act.cluster import Cluster, ClusterError
from tidegate_operator.main.intake import Intake
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.main.seeding import seed_routes
from tidegate_operator.main.watches import Watches
from tidegate_operator.observe.store import Store
from tidegate_operator.routing.table import RouteTable

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
EVERYWHERE = None
"""What stands for all namespaces at once, where the operator serves the whole cluster."""


class Reach:
    """Lists namespaces, tries those that refuse again, and has them watched once they don't."""

    def __init__(
        self, cluster: Cluster, intake: Intake, *, store: Store, table: RouteTable, metrics: Metrics
    ) -> None:
        self._cluster = cluster
        self._intake = intake
        self._store = store
        self._table = table
        self._metrics = metrics
        self._unserved: set[str | None] = set()

    async def take(self, namespace: str | None) -> bool:
        """List what there is in a namespace; false, with a sentence in the log, if we have no right to.

        Raises:
            ClusterError: The API server can't answer now.
        """
        try:
            await self._intake.take_all(self._cluster, namespace)
        except ClusterError as error:
            if not error.refused:
                raise
            self._leave_out(namespace, error)
            return False
        if namespace in self._unserved:
            self._unserved.discard(namespace)
            logger.info("%s can be read now", _name(namespace))
        self._metrics.unserved.labels(namespace or "").set(0)
        return True

    async def open(self, namespaces: tuple[str, ...]) -> tuple[str, ...]:
        """List them (none: all) and put their routes in force as they were stored; which of them could be read.

        Returns as soon as there is one: an operator that can read nothing has nothing to lead.
        """
        wanted: tuple[str | None, ...] = namespaces or (EVERYWHERE,)
        pause = FIRST_PAUSE_SECONDS
        while not (served := [namespace for namespace in wanted if await self.take(namespace)]):
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        for left_out in set(namespaces) - set(served):
            # Its routers keep the routes that they have: what we can't read we must not take away.
            self._table.withhold(left_out)
        for namespace in served:
            self._seed(namespace)
        return tuple(namespace for namespace in served if namespace is not EVERYWHERE)

    async def widen(self, waiting: set[str], watches: Watches, queue_everything: Callable[[], None]) -> None:
        """Try namespaces without rights again, later and later, until each is watched like the others."""
        pause = FIRST_PAUSE_SECONDS
        while waiting:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            for namespace in [namespace for namespace in sorted(waiting) if await self._try(namespace)]:
                waiting.discard(namespace)
                self._seed(namespace)
                queue_everything()
                await watches.add(namespace)

    async def _try(self, namespace: str) -> bool:
        try:
            return await self.take(namespace)
        except ClusterError as error:
            logger.warning("%s could not be listed, it is tried again: %s", _name(namespace), error)
            return False

    def _seed(self, namespace: str | None) -> None:
        seeded = seed_routes(self._store, self._table, namespace)
        if namespace is not EVERYWHERE:
            self._table.release(namespace)
        logger.info("%s: %d routes are in force as they were stored", _name(namespace), seeded)

    def _leave_out(self, namespace: str | None, error: ClusterError) -> None:
        self._metrics.unserved.labels(namespace or "").set(1)
        if namespace not in self._unserved:
            self._unserved.add(namespace)
            logger.error(
                "%s is not served, it is tried again until the operator's role is bound there: %s",
                _name(namespace),
                error.words,
            )


def _name(namespace: str | None) -> str:
    return "the cluster" if namespace is EVERYWHERE else f"namespace {namespace}"
