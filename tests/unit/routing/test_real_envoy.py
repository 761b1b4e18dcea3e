"""What a real Envoy does with our routes: splits, mirrors, retries, and what it counts."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest
from tests.unit.routing.envoy_process import DEADLINE_SECONDS, Router

from tidegate_operator.plan.plan import Route


async def test_a_decided_weight_is_live_within_a_second(router: Router) -> None:
    await router.put(Route("good", warm=("bad",)), "good", "bad")
    slowest = 0.0
    for stable, warm in (("bad", "good"), ("good", "bad")) * 5:
        decided = monotonic()
        router.table.set_route("shop", "fraud", Route(stable, warm=(warm,)))
        while (await router.ask())[1] != stable:
            assert monotonic() - decided < DEADLINE_SECONDS
        slowest = max(slowest, monotonic() - decided)
    assert slowest < 1.0


async def test_requests_are_split_by_weight(router: Router) -> None:
    await router.put(Route("good", "bad", weight=25), "good", "bad")
    answers = [await router.ask() for _ in range(400)]
    # 100 expected, standard deviation 8.7: five of them are allowed.
    assert 56 <= answers.count((500, "bad")) <= 144
    counts = await router.read_counts()
    assert counts["bad"].completed == counts["bad"].failed == answers.count((500, "bad"))
    assert (counts["good"].completed, counts["good"].failed) == (answers.count((200, "good")), 0)


async def test_a_mirrored_candidate_is_counted_and_never_answers(router: Router) -> None:
    await router.put(Route("good", "bad", mirror=100), "good", "bad")
    assert {await router.ask() for _ in range(50)} == {(200, "good")}
    await router.wait_for_counts(lambda counts: counts["bad"].failed == 50)
    assert len(router.models["bad"].requests) == 50


async def test_the_latency_bins_add_up_to_the_requests(router: Router) -> None:
    await router.put(Route("good"), "good")
    for _ in range(30):
        await router.ask()
    await router.wait_for_counts(lambda counts: sum(counts["good"].latency) == 30)  # merged once a second


async def test_a_revision_where_nothing_listens_fails_by_the_routers_own_count(router: Router) -> None:
    await router.put(Route("dead", warm=("good",)), "good")
    answers = [await router.ask() for _ in range(10)]
    assert {status for status, _ in answers} == {503}
    counts = (await router.read_counts())["dead"]
    assert (counts.completed, counts.failed, counts.healthy) == (10, 10, 0)


async def test_a_mirror_to_nowhere_counts_as_failed_and_costs_nobody_an_answer(router: Router) -> None:
    await router.put(Route("good", "dead", mirror=100), "good")
    assert {await router.ask() for _ in range(10)} == {(200, "good")}
    await router.wait_for_counts(lambda counts: counts["dead"].failed == 10)


async def test_a_router_says_by_which_routes_it_goes(router: Router) -> None:
    for name in ("fraud", "churn"):
        await router.put(Route("good"), "good", name=name)
        assert (await router.read_router()).routes_version == router.discovery.version_of_routes("shop")


async def test_a_5xx_is_an_answer_and_is_not_tried_again(router: Router) -> None:
    await router.put(Route("bad"), "bad")
    assert await router.ask() == (500, "bad")
    assert len(router.models["bad"].requests) == 1


@pytest.mark.parametrize(
    "host", ["fraud", "fraud:8080", "fraud.shop", "fraud.shop.svc", "fraud.shop.svc.cluster.local:80"]
)
async def test_every_name_of_the_service_finds_the_model(router: Router, host: str) -> None:
    await router.put(Route("good"), "good")
    assert await router.ask("/v2", host) == (200, "good")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/models/fraud", 200),
        ("/v2/models/fraud/infer", 200),
        ("/v1/models/fraud:predict", 200),
        ("/v2/models/fraudulent/infer", 404),
        ("/v2/health/ready", 404),
    ],
)
async def test_behind_an_unknown_host_the_path_picks_the_model(
    router: Router, path: str, status: int
) -> None:
    await router.put(Route("good"), "good")
    assert (await router.ask(path, "localhost:30080"))[0] == status


async def test_what_pods_say_about_themselves_does_not_pass_the_router(router: Router) -> None:
    await router.put(Route("good"), "good")
    assert (await router.ask("/internal/snapshot"))[0] == 404
    assert (await router.ask("/metrics"))[0] == 404


async def test_promotion_under_load_costs_no_request(router: Router) -> None:
    """The left revision's cluster lingers, since routes and clusters reach the router by different requests."""
    router.models["bad"].status = 200
    await router.put(Route("good", "bad", weight=50), "good", "bad")
    answers = []
    for index in range(600):
        if index == 200:
            router.table.set_route("shop", "fraud", Route("bad"))
        answers.append((await router.ask())[0])
    assert set(answers) == {200}


async def test_a_namespace_without_models_answers_with_a_sentence(router: Router) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                status, body = await router.ask()
                break
            except OSError:  # Envoy is still starting
                await asyncio.sleep(0.05)
    assert (status, "namespace shop has no such model" in body) == (404, True)
