"""The story that is measured: nothing there → all serve → a restart → at rest → one changes → five in a hundred do."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from bench.scale.api import Api
from bench.scale.control_plane import OPERATOR, OPERATOR_NAMESPACE
from bench.scale.models import Model, build_deployment, create_models, list_models, list_phases
from bench.scale.pods import Pods
from bench.scale.subject import Cost, Operator, run_operator
from cluster.api_server import ApiServer, free_port

NODES = 10
SETTLE_SECONDS = 20.0
DEADLINE_SECONDS = 900.0
MOST_ALONE = 10
WEIGHT = 5


@dataclass(frozen=True, slots=True)
class Durations:
    """How long is measured."""

    rest_seconds: float
    rollout_seconds: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What the steps of the story share."""

    server: ApiServer
    api: Api
    pods: Pods
    models: list[Model]
    folder: Path
    xds_port: int
    token: str

    def run_operator(self) -> AbstractAsyncContextManager[Operator]:
        """The operator, as its ServiceAccount."""
        return run_operator(self.server, self.folder, token=self.token, xds_port=self.xds_port)


async def tell(
    server: ApiServer, folder: Path, count: int, durations: Durations
) -> tuple[dict[str, Any], Any]:
    """The figures of one size, and the raw values behind them."""
    async with _set_scene(server, folder, count) as scene:
        first_start = await _start_from_nothing(scene)
        async with scene.run_operator() as operator:
            await _wait_until_all_are_looked_at(operator, scene)
            cold_start = monotonic() - operator.started_at
            print(f"  {count}: from nothing {first_start:.1f} s, restart {cold_start:.1f} s", flush=True)
            await asyncio.sleep(SETTLE_SECONDS)
            rest = await operator.measure(durations.rest_seconds)
            print(f"  {count}: at rest {describe(rest)}", flush=True)
            share = max(2, count // 20)
            alone = min(MOST_ALONE, share // 2)
            singles = [await _change(scene, [model]) for model in scene.models[:alone]]
            together = await _change(scene, scene.models[alone:share])
            rollout = await operator.measure(durations.rollout_seconds)
            print(f"  {count}: {share} in rollout {describe(rollout)}", flush=True)
            phases = Counter(await list_phases(scene.api))
            peak = operator.read_memory_mib("VmHWM")
    figures = {
        **_list_figures(rest),
        "first_start_seconds": round(first_start, 1),
        "cold_start_seconds": round(cold_start, 1),
        "spec_to_first_weight_seconds": round(statistics.median(seconds for (seconds,) in singles), 2),
        "rollout": {
            "models": share,
            **_list_figures(rollout),
            "spec_to_first_weight_seconds": round(statistics.median(together), 2),
            "spec_to_last_weight_seconds": round(max(together), 2),
        },
        "peak_rss_mib": round(peak, 1),
    }
    raw = {
        "spec_to_first_weight_seconds": [seconds for (seconds,) in singles],
        "together": together,
        "requests_at_rest": rest.requests,
        "requests_in_rollout": rollout.requests,
        "seconds_at_rest": rest.seconds,
        "seconds_in_rollout": rollout.seconds,
        "phases_at_the_end": phases,
    }
    return figures, raw


def describe(cost: Cost) -> str:
    """One line on the way."""
    most = ", ".join(f"{what} {number}" for what, number in cost.requests.most_common(4))
    return f"{cost.cpu_cores:.3f} cores, {cost.rss_mib:.0f} MiB, {cost.requests_per_second:.1f} requests/s ({most})"


def _list_figures(cost: Cost) -> dict[str, float]:
    return {
        "rss_mib": round(cost.rss_mib, 1),
        "cpu_cores": round(cost.cpu_cores, 4),
        "api_requests_per_second": round(cost.requests_per_second, 2),
    }


@asynccontextmanager
async def _set_scene(server: ApiServer, folder: Path, count: int) -> AsyncIterator[Scene]:
    async with Api(server) as api:
        for number in range(NODES):
            name = f"node-{number}"
            await api.apply(
                f"/api/v1/nodes/{name}", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
            )
        # The chart's own pod would be faked like all others; what is measured runs beside the cluster.
        await api.delete(f"/apis/apps/v1/namespaces/{OPERATOR_NAMESPACE}/deployments/{OPERATOR}")
        token = await api.request_token(OPERATOR_NAMESPACE, OPERATOR)
        models, xds_port = list_models(count), free_port()
        await create_models(api, models)
        pods = Pods(api, f"http://127.0.0.1:{xds_port}")
        async with asyncio.TaskGroup() as tasks:
            answering = tasks.create_task(pods.run())
            yield Scene(server, api, pods, models, folder, xds_port, token)
            answering.cancel()


async def _start_from_nothing(scene: Scene) -> float:
    """Until every ModelDeployment serves, the controllers' and KWOK's work included."""
    async with scene.run_operator() as operator:
        await _wait_until_all_are_looked_at(operator, scene)
        deadline = monotonic() + DEADLINE_SECONDS
        while (serving := await _count_serving(operator)) < len(scene.models):
            if monotonic() > deadline:
                raise TimeoutError(
                    f"{serving:.0f} of {len(scene.models)} serve: {Counter(await list_phases(scene.api))}"
                )
            await asyncio.sleep(0.5)
        took = monotonic() - operator.started_at
        await asyncio.sleep(SETTLE_SECONDS)  # its last writes, and the end of what lingers in routes
        phases = Counter(await list_phases(scene.api))
        assert phases == {"Serving": len(scene.models)}, phases
        return took


async def _count_serving(operator: Operator) -> float:
    return (await operator.read_metrics()).get('tidegate_deployments{phase="Serving"}', 0.0)


async def _wait_until_all_are_looked_at(operator: Operator, scene: Scene) -> None:
    """Until every ModelDeployment and router had its look, and nothing is due any more."""
    wanted = len(scene.models) + len({model.namespace for model in scene.models})
    deadline = monotonic() + DEADLINE_SECONDS
    while monotonic() < deadline:
        metrics = await operator.read_metrics()
        known = sum(value for name, value in metrics.items() if name.startswith("tidegate_deployments{"))
        looks, waiting = (
            metrics.get("tidegate_reconcile_seconds_count", 0.0),
            metrics.get("tidegate_queue_depth", 1.0),
        )
        if known == len(scene.models) and looks >= wanted and waiting == 0:
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"{looks:.0f} of {wanted} looks, {waiting:.0f} waiting")


async def _change(scene: Scene, models: list[Model]) -> list[float]:
    """Ask for another version of these at once; the seconds until a router had weight for each."""
    begun: dict[Model, float] = {}

    async def ask(model: Model) -> None:
        begun[model] = monotonic()
        await scene.api.apply(model.path, build_deployment(model, version=2, weight=WEIGHT))

    await asyncio.gather(*(ask(model) for model in models))
    found: dict[Model, float] = {}
    deadline = monotonic() + DEADLINE_SECONDS
    while missing := [model for model in models if model not in found]:
        if monotonic() > deadline:
            raise TimeoutError(f"{len(missing)} of {len(models)} have no weight: {missing[:3]}")
        for model in missing:
            if (at := scene.pods.when_shared(model.namespace, model.name)) is not None:
                found[model] = at - begun[model]
        await asyncio.sleep(0.02)
    return [found[model] for model in models]
