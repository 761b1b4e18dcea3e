"""Drills on the API server: away, forgetful, overloaded, and written to by somebody else."""

from __future__ import annotations

import json
from typing import Final

from demo.waiting import Deadline, wait_for

from drills.etcd import forget_the_past
from drills.faults import CUT_SECONDS, leader_cut_off
from drills.no_room import address_of_this_machine, no_room_for_operator
from drills.node import kill_api_server, signal, without_api_server
from drills.scene import BAD, GOOD, PROMOTED, STABLE, TAKEN_BACK, WEIGHTS, Scene, uid_of

AWAY_SECONDS: Final = 60
OVERLOADED_SECONDS: Final = 30


def api_server_away_in_mid_rollout(scene: Scene) -> None:
    """The API server is away for a minute, and a bad candidate leaves traffic all the same."""
    scene.begin_canary(BAD, mirror=False)
    with scene.fault(), without_api_server(scene.kubectl):
        scene.pause(AWAY_SECONDS - 3)
        before = scene.count_answers(BAD)
        scene.pause(3)
        assert scene.count_answers(BAD) == before, f"{BAD} still answers users"
    scene.until(TAKEN_BACK, lambda view: BAD in view.rejected)
    scene.recovered()


def api_server_away_at_rest(scene: Scene) -> None:
    """The API server is away for a minute; a predictor pod dies meanwhile, and its container comes back."""
    uid = uid_of(scene.pods()[0])
    with scene.fault(), without_api_server(scene.kubectl):
        signal(uid, "KILL")
        scene.pause(AWAY_SECONDS)
    scene.until_led()
    scene.until_all_ready(scene.pods, scene.replicas)
    scene.recovered()


def watches_dropped(scene: Scene) -> None:
    """The operator's connections to the API server break; what the user wishes meanwhile is found afterwards."""
    scene.begin_canary()
    with scene.fault(), leader_cut_off(scene):
        scene.deploy(GOOD)
        scene.pause(CUT_SECONDS)
    scene.until(PROMOTED, lambda view: view.ready and view.stable == GOOD)
    scene.recovered()


def history_forgotten(scene: Scene) -> None:
    """The watches break, and what they would go on from is gone (410): everything is listed anew."""
    scene.begin_canary()
    with scene.fault(), leader_cut_off(scene):
        scene.deploy(GOOD)
        kill_api_server(scene.kubectl)
        forget_the_past()
    scene.until(PROMOTED, lambda view: view.ready and view.stable == GOOD)
    scene.recovered()


def api_server_overloaded(scene: Scene) -> None:
    """Every request of the operator is answered 429 for half a minute; it goes on leading, and then decides."""
    scene.begin_canary()
    before = _count_restarts(scene)
    with scene.fault(), no_room_for_operator(scene.kubectl, address_of_this_machine()):
        scene.deploy(GOOD)
        scene.pause(OVERLOADED_SECONDS)
    scene.until(PROMOTED, lambda view: view.ready and view.stable == GOOD)
    scene.recovered()
    assert _count_restarts(scene) == before, "the operator gave up its lead"


def another_writer(scene: Scene) -> None:
    """Somebody forces other values: no pods for stable, and a status that gives all traffic to the candidate."""
    scene.begin_canary()
    weight = {"status": {"traffic": {"desired": {"candidateWeight": 100, "mirror": 0}}}}
    stable = scene.witness.revisions[STABLE]
    with scene.fault():
        scene.kubectl.run("scale", f"deployment/{stable}", "--replicas=0")
        scene.kubectl.run(
            *("patch", "modeldeployment", scene.name, "--subresource=status", "--type=merge"),
            f"--patch={json.dumps(weight)}",
        )
    wait_for(Deadline("the mending", 30), lambda: _is_mended(scene, stable), last_seen=lambda: scene.view)
    scene.recovered()
    scene.witness.excuse(lambda sight: sight.view.weight == 100)  # it is the other's word
    scene.until_all_ready(lambda: scene.pods(STABLE), scene.replicas)
    scene.finish_canary()


def _is_mended(scene: Scene, stable: str) -> bool:
    deployment = scene.kubectl.get("deployment", stable) or {"spec": {}}
    return deployment["spec"].get("replicas") == scene.replicas and scene.view.weight == WEIGHTS[0]


def _count_restarts(scene: Scene) -> list[tuple[str, int]]:
    return [
        (pod["metadata"]["name"], pod["status"]["containerStatuses"][0]["restartCount"])
        for pod in scene.operators()
    ]
