"""The scene: two predictors on the loopback, and a router before them with the very configuration of the product."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.router.attack import Target
from demo.adult import read_census, requests
from demo.models import boosted
from tests.unit.routing.envoy_process import find_free_ports, run_envoy

import tidegate
from tidegate_operator.plan.plan import Route

STABLE, CANDIDATE = "income-stable", "income-candidate"
PLAIN, MIRRORED = "income", "mirrored"
"""ModelDeployments, and so hosts: the second one copies each request to the candidate."""
# As the Deployment of a router says (routing/router.py).
ENVOY_THREADS = 2
_PREDICTOR = """
import sys
from pathlib import Path
from tidegate_serving.main import leave, run
from tidegate_serving.settings import Settings
source, digest, revision, port, folder = sys.argv[1:]
leave(run(Settings(
    model="income", revision=revision, source=source, digest=digest, host="127.0.0.1", port=int(port),
    drain_seconds=0, log_format="text", bundle_folder=Path(folder), termination_log=Path(folder) / "termination-log",
)))
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What can be asked: the predictor itself, and the same by way of the router."""

    direct: Target
    routed: Target
    mirrored: Target


@asynccontextmanager
async def set_scene(folder: Path) -> AsyncIterator[Scene]:
    """Starts everything, and waits until the router holds both predictors healthy and answers."""
    model = boosted(read_census())
    bundle = tidegate.package(model.pipeline, model.sample, name="income", folder=folder / "bundle")
    bodies = list(requests(read_census().held_out[:2000]))
    with ExitStack() as stack:
        ports = {
            name: stack.enter_context(_run_predictor(bundle, name, folder)) for name in (STABLE, CANDIDATE)
        }
        pods = {name: [port] for name, port in ports.items()}
        async with run_envoy(folder, pods, threads=ENVOY_THREADS) as router:
            await router.put(Route(STABLE, CANDIDATE, mirror=100), STABLE, CANDIDATE, name=MIRRORED)
            await router.put(Route(STABLE), STABLE, name=PLAIN)
            path = "/v2/models/income/infer"
            entrance = f"http://127.0.0.1:{router.ports.traffic}{path}"
            yield Scene(
                direct=Target(f"http://127.0.0.1:{ports[STABLE]}{path}", PLAIN, bodies),
                routed=Target(entrance, PLAIN, bodies),
                mirrored=Target(entrance, MIRRORED, bodies),
            )


@contextmanager
def _run_predictor(bundle: tidegate.Bundle, revision: str, folder: Path) -> Iterator[int]:
    """One predictor process; its port."""
    (port,) = find_free_ports(1)
    own = folder / revision
    own.mkdir()
    command = [
        sys.executable,
        "-c",
        _PREDICTOR,
        bundle.path.resolve().as_uri(),
        bundle.digest,
        revision,
        str(port),
    ]
    with subprocess.Popen([*command, str(own)], stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.terminate()
