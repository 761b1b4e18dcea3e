"""Drills on predictor pods alone: out of memory, and evicted with everything else on their node."""

from __future__ import annotations

import json

from demo.kubectl import Manifest, ProgramFailedError
from demo.waiting import Deadline, wait_for

from drills.faults import ROUTERS
from drills.node import exhaust_memory
from drills.scene import STABLE, Scene, uid_of


def predictor_out_of_memory(scene: Scene) -> None:
    """A pod of stable needs more memory than its limit, and the kernel kills it."""
    scene.begin_canary()
    count = len(scene.pods())
    with scene.fault():
        exhaust_memory(uid_of(scene.pods(STABLE)[0]))
    scene.pause(3)
    scene.until_all_ready(scene.pods, count)
    scene.recovered()
    scene.finish_canary()


def node_drained(scene: Scene) -> None:
    """Every pod of the namespace is evicted as `kubectl drain` does it, through the API that heeds disruption budgets.

    The cluster has one node, so it is not cordoned: what is evicted finds its new place on it.
    """
    scene.begin_canary()
    old = scene.pods() + scene.routers()
    count = len(scene.pods())
    with scene.fault():
        for pod in old:
            _evict(scene, pod)
    scene.until_all_ready(scene.pods, count)
    scene.until_all_ready(scene.routers, ROUTERS)
    scene.recovered()
    scene.finish_canary()


def _evict(scene: Scene, pod: Manifest) -> None:
    """Asks for the eviction until it is granted: a budget refuses while another pod is missing."""
    name = pod["metadata"]["name"]
    path = f"/api/v1/namespaces/{scene.kubectl.namespace}/pods/{name}/eviction"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}

    def granted() -> bool:
        try:
            scene.kubectl.run("create", f"--raw={path}", "--filename=-", stdin=json.dumps(eviction))
        except ProgramFailedError as error:
            if "disruption budget" not in str(error):
                raise
            return False
        return True

    wait_for(Deadline(f"the eviction of {name}", 90), granted)
