"""The operator as a process: settings, Lease, health, then leading until it ends."""

from __future__ import annotations

import asyncio
import logging
import sys

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient
from kubernetes.aio.config import ConfigException

from tidegate_operator.act.cluster import KubernetesCluster
from tidegate_operator.main.health import build_health, serve
from tidegate_operator.main.leader import Leader
from tidegate_operator.main.lease import PatientLease, acquire_lease, hold_lease
from tidegate_operator.main.logs import configure_logs
from tidegate_operator.main.metrics import Metrics
from tidegate_operator.main.settings import Settings, SettingsError, read_settings

logger = logging.getLogger(__name__)

LEASE_LOST = 3
"""The exit code of a leader that leads no more; a new process then waits for the Lease like any other."""


def main() -> None:
    """Run the operator; exits non-zero if it is set up wrongly or has lost its Lease."""
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.exit(str(error))
    configure_logs(settings.log_format)
    sys.exit(asyncio.run(run(settings)))


async def run(settings: Settings) -> int:
    """Wait for the Lease, lead, and say with which code to exit."""
    await _load_credentials()
    metrics = Metrics()
    async with ApiClient() as client, aiohttp.ClientSession() as session:
        lease = PatientLease(settings.namespace, settings.identity, client)
        cluster = KubernetesCluster(client, may_write=lambda: lease.certain)
        leader = Leader(settings, cluster, session=session, metrics=metrics, lease=lease)
        health = await serve(
            build_health(metrics, is_ready=lambda: leader.ready, queue_depth=lambda: leader.queue_depth),
            settings.health_port,
        )
        try:
            return await _lead(lease, leader)
        finally:
            await health.cleanup()


async def _lead(lease: PatientLease, leader: Leader) -> int:
    election = await acquire_lease(lease)
    leading = asyncio.create_task(leader.lead(), name="lead")
    holding = asyncio.create_task(hold_lease(election, lease), name="hold the lease")
    try:
        await asyncio.wait((leading, holding), return_when=asyncio.FIRST_COMPLETED)
        if not leading.done():
            logger.error("another operator holds the Lease %s now; this one ends", lease.name)
            return LEASE_LOST
        leading.result()
        return 0
    finally:
        leading.cancel()
        holding.cancel()
        await asyncio.gather(leading, holding, return_exceptions=True)
        await lease.release()


async def _load_credentials() -> None:
    try:
        config.load_incluster_config()  # type: ignore[no-untyped-call]
    except ConfigException:
        await config.load_kube_config()  # type: ignore[no-untyped-call]
