"""The Lease: at most one operator decides; it goes on while nobody can be asked, and ends when another leads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from math import inf
from time import monotonic

import aiohttp
from kubernetes.aio.client import ApiClient, V1Lease, V1ObjectMeta
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

logger = logging.getLogger(__name__)

LEASE_NAME = "tidegate-operator"
# As Kubernetes' own components: a leader that dies is replaced after 15 s; one that is ended hands over at once.
LEASE_SECONDS = 15
RENEW_SECONDS = 10
RETRY_SECONDS = 2
# A look at the Lease, a renewal, a rest and the next look must fit into the Lease's time.
ATTEMPT_SECONDS = 3

Found = tuple[bool, LeaderElectionRecord] | tuple[bool, Exception] | tuple[bool, None]

_UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError)
_AWAY = ApiException(status=503, reason="the API server does not answer")
_AWAY.body = None


class PatientLease(LeaseLock):
    """A Lease whose holder keeps it while the API server is away: then nobody else can take it either.

    Without this, an API server that restarts for longer than the renewal takes would end the only one who can
    take a failing candidate out of traffic.
    """

    def __init__(
        self, namespace: str, identity: str, client: ApiClient, *, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(LEASE_NAME, namespace, identity, client)
        self._clock = clock
        self._held: LeaderElectionRecord | None = None
        self._asked_at = 0.0
        self._silent_at = -inf
        self.taken = asyncio.Event()
        """Set when another is seen to hold what we held."""

    @property
    def certain(self) -> bool:
        """Whether we held the Lease so lately that nobody else can hold it.

        Without this, a leader that stood still for longer than the Lease lasts (a frozen machine, a starved
        process) would wake and undo what another has decided meanwhile, until its next look at the Lease.
        """
        fresh = self._clock() - self._asked_at < LEASE_SECONDS
        return self._held is not None and fresh and not self.taken.is_set()

    @property
    def answered_seconds(self) -> float:
        """For how long the API server has answered us without fail; infinite if it always has."""
        return self._clock() - self._silent_at

    async def get(self, name: str, namespace: str) -> Found:
        """The record as stored; as last written by us while the API server is away or too busy."""
        asked_at = self._clock()
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                answer: Found = await super().get(name, namespace)
        except _UNREACHABLE:
            answer = (False, _AWAY)
        # An answer is as old as its question: a process may have stood still between the two.
        self._asked_at = asked_at
        record = answer[1]
        if isinstance(record, ApiException) and _is_away(record):
            self._silent_at = self._clock()
        if self._held and isinstance(record, ApiException) and _is_away(record):
            return True, self._held
        if (
            self._held
            and isinstance(record, LeaderElectionRecord)
            and record.holder_identity != self.identity
        ):
            self.taken.set()
        return answer

    async def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        """Create the Lease as ours; the base class passes a parameter that its own client refuses (37.0.2)."""
        body = V1Lease(metadata=V1ObjectMeta(name=name), spec=self.update_lease(election_record))
        try:
            # What is renewed is what was last seen; without this, an API server that goes away before the first
            # renewal would end who has just begun to lead.
            self.lease_reference = await self.api_instance.create_namespaced_lease(namespace, body)
        except (ApiException, *_UNREACHABLE) as error:
            logger.warning("the Lease %s could not be created: %r", name, error)
            return False
        self._held = election_record
        return True

    async def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        """Renew the Lease, or take it over; who holds it keeps it while nobody can be asked.

        The base class would give up a Lease whose renewal is refused for want of capacity.
        """
        assert self.lease_reference is not None
        self.lease_reference.spec = self.update_lease(updated_record, self.lease_reference.spec)
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await self.api_instance.replace_namespaced_lease(name, namespace, self.lease_reference)
        except _UNREACHABLE:
            return self._held is not None
        except ApiException as error:
            return self._held is not None and _is_away(error)
        self._held = updated_record
        return True

    async def release(self) -> None:
        """Let go, so that the next leader need not wait for the Lease to end."""
        if self._held is None or self.taken.is_set():
            return
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                stored = await self.api_instance.read_namespaced_lease(self.name, self.namespace)
                if stored.spec and stored.spec.holder_identity == self.identity:
                    stored.spec.holder_identity = None
                    await self.api_instance.replace_namespaced_lease(self.name, self.namespace, stored)
        except (ApiException, *_UNREACHABLE) as error:
            logger.warning("the Lease was not let go (%r); the next leader waits %d s", error, LEASE_SECONDS)


def _is_away(error: ApiException) -> bool:
    """Whether an answer says nothing about the Lease: the API server fails, or has no room for us (429)."""
    return error.status == 429 or (error.status or 500) >= 500


async def acquire_lease(lease: PatientLease) -> LeaderElection:
    """Wait until we lead."""
    # The election's two halves are run by us: its own `run` would not notice that leading has failed.
    config = Config(lease, LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS, _do_nothing, _do_nothing)
    election = LeaderElection(config)
    await election.acquire()
    logger.info("%s leads", lease.identity)
    return election


async def _do_nothing() -> None:
    """See where it is passed."""


async def hold_lease(election: LeaderElection, lease: PatientLease) -> None:
    """Renew the Lease; returns only when it is lost."""
    renewing = asyncio.create_task(election.renew_loop(), name="renew the lease")
    taken = asyncio.create_task(lease.taken.wait(), name="lease taken")
    try:
        await asyncio.wait((renewing, taken), return_when=asyncio.FIRST_COMPLETED)
    finally:
        renewing.cancel()
        taken.cancel()
        await asyncio.gather(renewing, taken, return_exceptions=True)
