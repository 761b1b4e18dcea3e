"""The faults that may come at any moment, each until everything is whole again; what a rollout does is not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from demo.kubectl import Manifest
from demo.waiting import Deadline, wait_for

from drills.node import cut_off_from_api_server, kill_api_server, signal, slowed, stopped
from drills.scene import STABLE, Scene, is_ready, uid_of

ROUTERS: Final = 2
HUNG_SECONDS: Final = 20
SLOW_SECONDS: Final = 20
CUT_SECONDS: Final = 20
# Long enough for Kubernetes to notice that a process is gone, so that what is still called ready is.
_NOTICED_SECONDS: Final = 3


def operator_killed(scene: Scene) -> None:
    """The operator's process is killed, and its pod with it; another one leads when the Lease has run out."""
    with scene.fault():
        kill_operator(scene)
    scene.until_led()
    scene.recovered()


# A killed router takes the request with it that it is answering, at 40 a second no more than one, and a client may send
# another one or two on connections of whose end it has not heard. Nobody else knows of these.
HELD_BY_A_ROUTER: Final = 3


def router_killed(scene: Scene) -> None:
    """One of two routers is killed: what it held is lost with it, the other one answers the rest."""
    scene.until_all_ready(scene.routers, ROUTERS)
    with scene.fault():
        kill_a_router(scene)
    scene.pause(_NOTICED_SECONDS)
    scene.until_all_ready(scene.routers, ROUTERS)
    scene.recovered()


def routers_rolled(scene: Scene) -> None:
    """`kubectl rollout restart` of the routers."""
    with scene.fault():
        roll(scene, "deployment/tidegate-router")
    scene.until_all_ready(scene.routers, ROUTERS)
    scene.recovered()


def predictor_killed(scene: Scene) -> None:
    """One pod of each revision is killed; its container starts again."""
    with _until_all_pods(scene), scene.fault():
        for pod in first_pods(scene):
            signal(uid_of(pod), "KILL")


def predictor_hangs(scene: Scene) -> None:
    """One pod of each revision stands still for 20 s, with its connections open."""
    with _until_all_pods(scene), scene.fault(), stopped(*map(uid_of, first_pods(scene))):
        scene.pause(HUNG_SECONDS)


def predictor_slow(scene: Scene) -> None:
    """A pod gets a tenth of its processor for 20 s."""
    with _until_all_pods(scene), scene.fault(), slowed(uid_of(first_pods(scene)[0]), running_percent=10):
        scene.pause(SLOW_SECONDS)


def predictors_rolled(scene: Scene) -> None:
    """`kubectl rollout restart` of the pods that serve."""
    with _until_all_pods(scene), scene.fault():
        roll(scene, f"deployment/{scene.witness.revisions[scene.view.stable]}")


def connections_broken(scene: Scene) -> None:
    """The operator's connections to the API server break and are refused for 20 s."""
    with scene.fault(), cut_off_from_api_server(_address_of_leader(scene)):
        scene.pause(CUT_SECONDS)
    scene.until_led()
    scene.recovered()


def api_server_killed(scene: Scene) -> None:
    """The API server's process is killed, and started again by the kubelet."""
    with scene.fault():
        kill_api_server(scene.kubectl)
    scene.until_led()
    scene.recovered()


def kill_a_router(scene: Scene) -> None:
    """SIGKILL for the first router."""
    signal(uid_of(scene.routers()[0]), "KILL")


def kill_operator(scene: Scene) -> None:
    """SIGKILL, and the pod goes at once, as with its node: its successor has another name and waits for the Lease."""
    for pod in scene.operators():
        signal(uid_of(pod), "KILL")
        name = pod["metadata"]["name"]
        scene.stage.system.run("delete", "pod", name, "--grace-period=0", "--force", "--wait=false")


def roll(scene: Scene, deployment: str) -> None:
    """`kubectl rollout restart`, and its end."""
    scene.kubectl.run("rollout", "restart", deployment)
    scene.kubectl.run("rollout", "status", deployment, "--timeout=110s")


@contextmanager
def operators(scene: Scene, count: int) -> Iterator[None]:
    """So many operator pods while the block runs, and one after it."""
    system, deployment = scene.stage.system, "deployment/tidegate-operator"
    system.run("scale", deployment, f"--replicas={count}")
    wait_for(
        Deadline(f"{count} operator pods", 60),
        lambda: [pod["status"].get("phase") for pod in scene.operators()] == ["Running"] * count,
        last_seen=lambda: [pod["metadata"]["name"] for pod in scene.operators()],
    )
    try:
        yield
    finally:
        system.run("scale", deployment, "--replicas=1")


@contextmanager
def leader_cut_off(scene: Scene) -> Iterator[None]:
    """The leader reaches no API server while the block runs."""
    with cut_off_from_api_server(_address_of_leader(scene)):
        yield


def first_pods(scene: Scene) -> list[Manifest]:
    """One pod of each revision that has any, stable's first."""
    roles = [scene.view.stable or STABLE, scene.view.candidate]
    return [scene.pods(version)[0] for version in roles if version and scene.pods(version)]


@contextmanager
def _until_all_pods(scene: Scene) -> Iterator[None]:
    """Waits, after the block, until all pods that are wanted are ready.

    Not as many as before it: those of a candidate that was taken back a moment ago are on their way out.
    """
    yield
    scene.pause(_NOTICED_SECONDS)
    scene.until_pods_ready()
    scene.recovered()


def _address_of_leader(scene: Scene) -> str:
    return str(next(pod["status"]["podIP"] for pod in scene.operators() if is_ready(pod)))
