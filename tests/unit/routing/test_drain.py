"""A router that is about to end sends its clients elsewhere without cutting anybody off."""

from __future__ import annotations

import asyncio
from time import monotonic

import aiohttp
import pytest
from cluster import programs
from images.contexts import DRAIN_SOURCE
from tests.unit.routing.envoy_process import Router, find_free_ports

from tidegate_operator.plan.plan import Route


async def drain(port: int, seconds: float) -> tuple[int, str]:
    program = await asyncio.to_thread(programs.build, DRAIN_SOURCE)
    command = (program / "drain", str(port), str(seconds))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def read_connection_header(router: Router, session: aiohttp.ClientSession) -> str | None:
    url = f"http://127.0.0.1:{router.ports.traffic}/v2"
    async with session.get(url, headers={"Host": "fraud"}) as response:
        assert response.status == 200
        return response.headers.get("Connection")


async def test_a_draining_router_answers_on_and_closes_each_connection_after_its_answer(
    router: Router,
) -> None:
    await router.put(Route("good"), "good")
    async with aiohttp.ClientSession() as session:
        assert await read_connection_header(router, session) is None
        assert await drain(router.ports.admin, 0) == (0, "")
        assert [await read_connection_header(router, session) for _ in range(3)] == ["close"] * 3


async def test_a_drain_lasts_as_long_as_it_is_told_even_if_envoy_does_not_answer() -> None:
    (port,) = find_free_ports(1)
    started = monotonic()
    code, said = await drain(port, 0.5)
    assert monotonic() - started >= 0.5
    assert (code, "connection refused" in said) == (1, True)


@pytest.mark.parametrize("words", [("9901",), ("9901", "soon")])
async def test_a_drain_that_is_told_nonsense_says_what_it_wants(words: tuple[str, ...]) -> None:
    program = await asyncio.to_thread(programs.build, DRAIN_SOURCE)
    process = await asyncio.create_subprocess_exec(program / "drain", *words, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.startswith((b"write: drain", b"the seconds to wait are not a number: soon"))
