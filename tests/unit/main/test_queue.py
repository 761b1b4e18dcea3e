"""The queue: ends when it is told to, whatever comes at the same moment."""

from __future__ import annotations

import asyncio

import pytest

from tidegate_operator.main.queue import Queue
from tidegate_operator.observe.store import Key

FRAUD, CHURN = Key("shop", "fraud"), Key("shop", "churn")


async def do_nothing(_key: Key) -> None:
    """Work that is over at once."""


async def let_others_run(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(6))
async def test_a_queue_ends_though_something_changes_just_as_it_is_cancelled(turns: int) -> None:
    queue = Queue(do_nothing)
    queue.add(FRAUD, after_seconds=60.0)
    running = asyncio.create_task(queue.run())
    await let_others_run(3)
    queue.add(CHURN, after_seconds=60.0)
    await let_others_run(turns)
    running.cancel()
    ended, _ = await asyncio.wait((running,), timeout=1.0)
    assert ended == {running}
