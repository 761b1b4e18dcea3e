"""What users notice of pods that die, hang or start, and what the evidence does: a real Envoy with several pods."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.routing.envoy_process import Model, Pod, Router, run_router

from tidegate_operator.plan.plan import Route


@pytest.fixture
async def router(tmp_path: Path) -> AsyncIterator[Router]:
    """A `good` revision of one pod, and one revision for each trouble that pods may be in."""
    models = (
        Model("good"),
        Model("pair", pods=[Pod.WELL, Pod.WELL]),
        Model("dying", pods=[Pod.WELL, Pod.DIES]),
        Model("dead", pods=[Pod.DIES, Pod.DIES]),
        Model("slow", pods=[Pod.CRAWLS, Pod.CRAWLS]),
        Model("growing", pods=[Pod.WELL, Pod.STARTS, Pod.STARTS, Pod.STARTS]),
        Model("failing", status=500, pods=[Pod.WELL, Pod.WELL]),
    )
    async with run_router(tmp_path, *models) as running:
        yield running


async def ask(router: Router, times: int) -> Counter[tuple[int, str]]:
    """The answers by status and revision, one request after the other."""
    answers = [await router.ask() for _ in range(times)]
    return Counter((status, body if status == 200 else "") for status, body in answers)


async def test_a_pod_that_dies_under_a_request_costs_nobody_an_answer(router: Router) -> None:
    await router.put(Route("dying"), "dying")
    assert await ask(router, 40) == {(200, "dying"): 40}


async def test_what_a_retry_saved_counts_as_failed(router: Router) -> None:
    await router.put(Route("dying"), "dying")
    await ask(router, 40)
    repeated = len(router.models["dying"].requests) - 40
    counts = (await router.read_counts())["dying"]
    assert counts.completed == 40
    assert 0 < counts.failed <= repeated <= 2 * counts.failed


async def test_a_candidate_that_dies_is_not_helped_by_stable(router: Router) -> None:
    await router.put(Route("good", "dead", weight=50), "good", "dead")
    answers = await ask(router, 60)
    assert set(answers) == {(200, "good"), (503, "")}
    assert len(router.models["good"].requests) == answers[200, "good"]
    counts = (await router.read_counts())["dead"]
    assert counts.failed == counts.completed == answers[503, ""]


async def test_a_pod_that_was_killed_costs_three_attempts_and_no_answer(router: Router) -> None:
    await router.put(Route("pair"), "pair")
    await router.wait_for_counts(lambda counts: counts["pair"].healthy == 2)
    await router.stops["pair", 0]()
    assert await ask(router, 60) == {(200, "pair"): 60}
    assert (await router.read_counts())["pair"].failed <= 4  # one more is under way when the third has failed


async def test_answers_take_no_pod_out_whatever_their_status(router: Router) -> None:
    await router.put(Route("failing"), "failing")
    await router.wait_for_counts(lambda counts: counts["failing"].healthy == 2)
    assert await ask(router, 30) == {(500, ""): 30}
    counts = (await router.read_counts())["failing"]
    assert (counts.completed, counts.failed, counts.healthy) == (30, 30, 2)
    assert len(router.models["failing"].requests) == 30


async def test_a_pod_that_hangs_is_given_hardly_a_request_and_costs_no_answer(router: Router) -> None:
    await router.put(Route("pair"), "pair")
    await router.wait_for_counts(lambda counts: counts["pair"].healthy == 2)
    router.models["pair"].pods[0] = Pod.HANGS
    asked = []
    for _ in range(100):
        asked.append(asyncio.create_task(router.ask()))
        await asyncio.sleep(0.05)
    assert Counter(await asyncio.gather(*asked)) == {(200, "pair"): 100}
    assert len(router.models["pair"].requests) <= 100 + 4


async def test_a_model_that_needs_long_is_asked_twice_and_not_called_failed(router: Router) -> None:
    await router.put(Route("slow"), "slow")
    await router.wait_for_counts(lambda counts: counts["slow"].healthy == 2)
    assert await ask(router, 2) == {(200, "slow"): 2}
    assert len(router.models["slow"].requests) == 4
    assert (await router.read_counts())["slow"].failed == 0


async def test_pods_that_start_get_no_request_even_if_they_are_the_most(router: Router) -> None:
    await router.put(Route("growing"), "growing")
    assert await ask(router, 40) == {(200, "growing"): 40}
