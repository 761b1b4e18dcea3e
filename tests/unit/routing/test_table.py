"""The route table: what is in force, what lingers, who is woken."""

from __future__ import annotations

import asyncio

from tidegate_operator.plan.plan import Route
from tidegate_operator.routing.table import LINGER_SECONDS, RouteTable


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_the_same_route_again_changes_nothing() -> None:
    table = RouteTable()
    assert table.set_route("shop", "fraud", Route("a"))
    assert not table.set_route("shop", "fraud", Route("a"))


def test_a_revision_that_was_left_is_known_for_a_while() -> None:
    clock = Clock()
    table = RouteTable(clock)
    table.set_route("shop", "fraud", Route("a", "b", weight=5, warm=("w",)))
    table.set_route("shop", "fraud", Route("b"))
    assert table.revisions_of("shop") == ("a", "b", "w")
    clock.now = LINGER_SECONDS + 1
    assert table.revisions_of("shop") == ("b",)


def test_a_deleted_route_is_gone_at_once_and_its_revision_lingers() -> None:
    table = RouteTable(Clock())
    table.set_route("shop", "fraud", Route("a"))
    table.set_route("shop", "fraud", None)
    assert table.routes_of("shop") == {}
    assert table.revisions_of("shop") == ("a",)


def test_namespaces_do_not_see_each_other() -> None:
    table = RouteTable()
    table.set_route("shop", "fraud", Route("a"))
    assert table.revisions_of("bank") == ()


async def test_who_waits_is_woken_by_a_change_of_its_namespace() -> None:
    table = RouteTable()
    waiting = asyncio.create_task(table.wait_for_change("shop", 60.0))
    await asyncio.sleep(0)
    table.set_route("bank", "churn", Route("a"))
    await asyncio.sleep(0)
    assert not waiting.done()
    table.set_route("shop", "fraud", Route("a"))
    async with asyncio.timeout(1.0):
        await waiting
