"""Scrapes: asking routers and predictors what they counted, all at once and briefly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import aiohttp
import msgspec

from tidegate import pod
from tidegate.counts import SNAPSHOT_PATH, Snapshot
from tidegate.loaded import BUNDLE_PATH, LoadedBundle
from tidegate.loaded import LARGEST_ANSWER_BYTES as LARGEST_BUNDLE_BYTES
from tidegate_operator.observe.envoy import RouterCounts, build_query, parse_stats

logger = logging.getLogger(__name__)

# Longer than a busy pod needs, shorter than the pause between two looks: a pod that hangs must not hold up
# the decision about a candidate that fails.
TIMEOUT_SECONDS = 1.5
ROUTER_STATS_PORT = 9902
# Some hundred times what a pod has to say. Without a bound, whoever may run a pod in some namespace could have the
# operator of all namespaces read until its memory is full.
LARGEST_ANSWER_BYTES = 8 << 20

Answer = TypeVar("Answer")


class Scraper:
    """Reads counters from pods by their addresses; a pod that does not answer is left out."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def read_routers(
        self, addresses: Mapping[str, str], clusters: Iterable[str]
    ) -> dict[str, RouterCounts]:
        """Pod name → host[:port] in, pod name → what it says of these clusters out."""
        query = build_query(clusters)

        async def read(address: str) -> RouterCounts:
            url = f"http://{_with_port(address, ROUTER_STATS_PORT)}/stats"
            return parse_stats(msgspec.json.decode(await self._get(url, query)))

        return await _gather(addresses, read)

    async def read_predictors(self, addresses: Mapping[str, str]) -> dict[str, Snapshot]:
        """Pod name → host[:port] in, pod name → what the predictor counted out."""

        async def read(address: str) -> Snapshot:
            url = f"http://{_with_port(address, pod.PORT)}{SNAPSHOT_PATH}"
            return msgspec.json.decode(await self._get(url, {}), type=Snapshot)

        return await _gather(addresses, read)

    async def read_bundle(self, name: str, address: str) -> LoadedBundle | None:
        """What a predictor tells of the bundle that it has loaded; none if it tells nothing that can be believed."""

        async def read(address: str) -> LoadedBundle:
            url = f"http://{_with_port(address, pod.PORT)}{BUNDLE_PATH}"
            answer = await self._get(url, {}, largest=LARGEST_BUNDLE_BYTES)
            return msgspec.json.decode(answer, type=LoadedBundle)

        return await _try(name, address, read)

    async def _get(self, url: str, query: Mapping[str, str], *, largest: int = LARGEST_ANSWER_BYTES) -> bytes:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with self._session.get(url, params=query, timeout=timeout) as response:
            response.raise_for_status()
            return await _read_bounded(response, largest)


async def _read_bounded(response: aiohttp.ClientResponse, largest: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > largest:
            raise aiohttp.ClientPayloadError(f"the answer has more than {largest} bytes")
    return bytes(content)


async def _gather(
    addresses: Mapping[str, str], read: Callable[[str], Awaitable[Answer]]
) -> dict[str, Answer]:
    answers = await asyncio.gather(*(_try(name, address, read) for name, address in addresses.items()))
    return {name: answer for name, answer in zip(addresses, answers, strict=True) if answer is not None}


async def _try(name: str, address: str, read: Callable[[str], Awaitable[Answer]]) -> Answer | None:
    try:
        return await read(address)
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
        logger.debug("pod %s at %s gave no answer: %r", name, address, error)
        return None


def _with_port(address: str, port: int) -> str:
    return address if ":" in address else f"{address}:{port}"
