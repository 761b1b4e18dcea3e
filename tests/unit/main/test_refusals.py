"""What the API server refuses becomes a sentence in the conditions, is tried again, and is gone once it is mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from tests.unit.main.world import FRAUD, World

from tidegate_operator.act.cluster import ClusterError
from tidegate_operator.observe.store import Key, Kind

TRIED_AGAIN = "; it is tried again, later and later, and goes on when that is mended"


@pytest.fixture
async def world():
    """A ModelDeployment whose version is there, and an API server that takes everything."""
    async with aiohttp.ClientSession() as session:
        world = World(session)
        world.put_deployment()
        source, digest = {"uri": "s3://models/fraud/2"}, "sha256:" + "a" * 64
        metadata = {"name": "fraud-2", "namespace": "shop", "uid": "v2", "resourceVersion": "1"}
        spec = {"model": "fraud", "source": source, "digest": digest}
        world.store.put(Kind.MODEL_VERSION, {"metadata": metadata, "spec": spec})
        yield world


async def look_in_vain(world: World, key: Key = FRAUD) -> None:
    """A look that is refused, some time after the last one."""
    world.now += timedelta(seconds=5)
    with pytest.raises(ClusterError, match="exceeded quota"):
        await world.reconciler.reconcile(key)


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


async def test_a_refusal_is_told_in_the_api_servers_words(world: World) -> None:
    world.cluster.refuses = {"Deployment"}
    await look_in_vain(world)
    status = world.cluster.statuses[-1]
    name = status["candidate"]["revision"]
    sentence = f"the API server refuses Deployment {name}: exceeded quota{TRIED_AGAIN}"
    assert {c["message"] for c in status["conditions"][:3]} == {sentence}
    assert conditions(status)["Stalled"] == ("True", "NotApplied")
    assert "create Event NotApplied" in world.cluster.asked


async def test_as_long_as_it_lasts_nothing_more_is_written(world: World) -> None:
    world.cluster.refuses = {"Deployment"}
    for _ in range(5):
        await look_in_vain(world)
    assert len(world.cluster.statuses) == 1


async def test_what_is_mended_is_gone_at_the_next_look(world: World) -> None:
    world.cluster.refuses = {"Deployment"}
    await look_in_vain(world)
    world.cluster.refuses = set()
    await world.look()
    assert conditions(world.cluster.statuses[-1])["Reconciling"] == ("True", "Starting")
    assert len(world.cluster.statuses) == 2


async def test_what_the_router_may_not_have_is_told_by_every_model_behind_it(world: World) -> None:
    world.cluster.refuses = {"ConfigMap"}
    await look_in_vain(world, Key("shop"))
    assert world.queued[-1] == FRAUD
    await world.look()
    message = world.cluster.statuses[-1]["conditions"][0]["message"]
    assert message == f"the API server refuses ConfigMap tidegate-routes: exceeded quota{TRIED_AGAIN}"


async def test_where_not_even_the_status_may_be_written_a_metric_counts(world: World) -> None:
    world.cluster.refuses = {"Deployment", "ModelDeployment"}
    await look_in_vain(world)
    assert world.metrics.registry.get_sample_value("tidegate_refusals_total") == 1.0


async def test_an_api_server_that_is_away_is_no_refusal(world: World) -> None:
    world.cluster.away = True
    with pytest.raises(ClusterError, match="does not answer"):
        await world.look()
    world.cluster.away = False
    await world.look()
    assert {c["reason"] for c in world.cluster.statuses[-1]["conditions"][:3]} == {"Starting"}
