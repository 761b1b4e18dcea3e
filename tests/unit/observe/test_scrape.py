"""Scrapes: who does not answer in time, or not sensibly, is left out, and costs the others nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic

import aiohttp
import pytest
from tests.unit.observe.pods import Pod, Predictor, Router

from tidegate_operator.observe.scrape import TIMEOUT_SECONDS, Scraper

NOBODY = "127.0.0.1:1"


@pytest.fixture
async def scraper() -> AsyncIterator[Scraper]:
    """A scraper."""
    async with aiohttp.ClientSession() as session:
        yield Scraper(session)


@pytest.fixture
async def routers() -> AsyncIterator[tuple[Router, Router]]:
    """Two routers that have counted."""
    pair = Router("one"), Router("two")
    for number, router in enumerate(pair, start=1):
        router.completed["fraud-1"] = number
        await router.start()
    yield pair
    for router in pair:
        await router.stop()


def addresses_of(*pods: Pod) -> dict[str, str]:
    """Pods by name."""
    return {pod.name: pod.address for pod in pods}


async def read(scraper: Scraper, addresses: dict[str, str]) -> dict[str, int]:
    """Requests to fraud-1 by router."""
    found = await scraper.read_routers(addresses, ["fraud-1"])
    return {name: router.clusters["fraud-1"].completed for name, router in found.items()}


async def test_every_router_is_read(scraper: Scraper, routers: tuple[Router, Router]) -> None:
    assert await read(scraper, addresses_of(*routers)) == {"one": 1, "two": 2}


async def test_a_router_that_hangs_costs_its_time_limit_and_the_other_is_read(
    scraper: Scraper, routers: tuple[Router, Router]
) -> None:
    routers[0].hangs = True
    begun = monotonic()
    assert await read(scraper, addresses_of(*routers)) == {"two": 2}
    assert TIMEOUT_SECONDS <= monotonic() - begun < 2 * TIMEOUT_SECONDS


async def test_a_router_that_talks_nonsense_is_left_out(
    scraper: Scraper, routers: tuple[Router, Router]
) -> None:
    routers[0].babbles = True
    assert await read(scraper, addresses_of(*routers)) == {"two": 2}


@pytest.mark.parametrize(
    "document", [[], {"stats": 1}, {"stats": [{"name": "cluster.fraud-1.upstream_rq_4xx", "value": "x"}]}]
)
async def test_an_answer_of_another_form_is_left_out(
    scraper: Scraper, routers: tuple[Router, Router], document: object
) -> None:
    routers[0].tell = lambda _: document
    assert await read(scraper, addresses_of(*routers)) == {"two": 2}


async def test_a_router_that_is_gone_is_left_out(scraper: Scraper, routers: tuple[Router, Router]) -> None:
    assert await read(scraper, addresses_of(routers[1]) | {"gone": NOBODY}) == {"two": 2}


async def test_a_predictor_that_talks_nonsense_is_left_out(scraper: Scraper) -> None:
    good, bad = Predictor("good", "fraud-1"), Predictor("bad", "fraud-1")
    bad.tell = lambda _: {"revision": 7}
    for predictor in (good, bad):
        await predictor.start()
    found = await scraper.read_predictors(addresses_of(good, bad))
    assert list(found) == ["good"]
    for predictor in (good, bad):
        await predictor.stop()
