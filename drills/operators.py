"""Drills on the operator alone: killed at every transition, doubled, away."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Final

from demo.waiting import Deadline, wait_for

from drills.faults import kill_operator, operators
from drills.gate import find_held, gate, open_gate, wait_until_in_force
from drills.node import stopped
from drills.scene import GOOD, Outcome, Scene, Stage, is_ready, uid_of
from drills.transitions import KEEP_WARM, Transition, find_transitions, read_place

AWAY_SECONDS: Final = 120
# The Lease lasts 15 s, and who waits for it looks every two.
LEASE_RUNS_OUT_SECONDS: Final = 20
WOKEN_SECONDS: Final = 15
HELD_SECONDS: Final = 90


def two_operators_at_once(scene: Scene) -> None:
    """The leader is frozen until another one leads and promotes, then wakes and believes to lead still."""
    with operators(scene, 2):
        scene.begin_canary()
        leader = next(pod for pod in scene.operators() if is_ready(pod))
        with scene.fault(), stopped(uid_of(leader)):
            scene.pause(LEASE_RUNS_OUT_SECONDS)
            scene.finish_canary()
        scene.until_led()
        scene.recovered()
        scene.pause(WOKEN_SECONDS)
    assert scene.view.stable == GOOD, f"{scene.view.stable} serves again"


def operator_away_while_pods_restart(scene: Scene) -> None:
    """For two minutes there is no operator; meanwhile every predictor pod is replaced, in mid-rollout."""
    scene.begin_canary()
    with scene.fault(), operators(scene, 0):
        end = time.monotonic() + AWAY_SECONDS
        pods = scene.pods()
        for pod in pods:
            scene.kubectl.run("delete", "pod", pod["metadata"]["name"], "--wait=false")
            scene.until_all_ready(scene.pods, len(pods))
        scene.pause(max(0.0, end - time.monotonic()))
    scene.until_led()
    scene.recovered()
    scene.finish_canary()


def find_kills() -> list[tuple[Transition, bool]]:
    """All transitions in their order, and whether the operator is killed there: at the first of each kind."""
    known: set[str] = set()
    found = []
    for transition in find_transitions():
        kind = f"{bool(transition.before.stable)} {transition.name.partition(' ')[2]}"
        found.append((transition, kind not in known))
        known.add(kind)
    return found


def kill_at_every_transition(stage: Stage) -> Iterator[tuple[str, Outcome]]:
    """The operator is killed between its memory and the API server, once for each kind of transition there is."""
    with stage.set_scene() as scene, gate(scene.kubectl):
        wait_until_in_force(scene.kubectl)
        wish = ""
        for transition, killed in find_kills():
            if transition.wish != wish:
                wish = transition.wish
                scene.deploy(wish, keepWarm=KEEP_WARM)
            before = scene.mark()
            _pass(scene, transition, killed=killed)
            if killed:
                yield f"operator_killed_as_{transition.name.replace(' ', '_')}", scene.outcome(before)
            if transition.after.stable and not scene.sends:
                scene.send()


def _pass(scene: Scene, transition: Transition, *, killed: bool) -> None:
    """Waits until the transition is held; kills the operator there if wished; lets it through."""
    _wait_until_held(scene, transition)
    with scene.fault():
        if killed:
            kill_operator(scene)
        open_gate(scene.kubectl, scene.name, transition.after)
    wait_for(
        Deadline(transition.name, 60),
        lambda: read_place(scene.witness.status) == transition.after,
        last_seen=lambda: read_place(scene.witness.status),
    )
    scene.recovered()


def _wait_until_held(scene: Scene, transition: Transition) -> None:
    """Follows the operator's log, so that it can be killed before it goes on in memory."""
    pod = wait_for(Deadline("a running operator", 60), lambda: _find_running(scene))
    system = scene.stage.system
    command = [system.program, f"--kubeconfig={system.kubeconfig}", f"--namespace={system.namespace}"]
    with subprocess.Popen([*command, "logs", "--follow", pod], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        late = threading.Timer(HELD_SECONDS, process.terminate)
        late.start()
        try:
            if any(find_held(line, scene.name) == str(transition.after) for line in process.stdout):
                return
        finally:
            late.cancel()
            process.terminate()
    raise AssertionError(
        f"it was not held within {HELD_SECONDS} s that {transition.name}; now: {scene.view.message}"
    )


def _find_running(scene: Scene) -> str:
    running = [pod for pod in scene.operators() if pod["status"].get("phase") == "Running"]
    return str(running[0]["metadata"]["name"]) if running else ""
