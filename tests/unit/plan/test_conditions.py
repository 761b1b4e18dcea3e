"""What keeps a version from starting is one sentence, said as long as it lasts, and gone when it is mended."""

from __future__ import annotations

from itertools import groupby

import pytest
from tests.unit.plan.world import ROUTER, Behaviour, World

from tidegate.pod import StartFailure
from tidegate_operator.plan.facts import PodFact, Trouble, Workload
from tidegate_operator.plan.startup import find_obstacle

GOES_ON = "; it goes on by itself when that is mended"
NOT_READY = "v2 starts: not ready 60s after its start (spec.serving.startup.timeout): "


def failed(reason: StartFailure, message: str) -> Behaviour:
    """Pods that end with this last word, again and again."""
    return Behaviour(trouble=Trouble.START_FAILED, reason=reason, message=message, restarts=5)


# What the pods of v2 do, and what is said of it.
OUTSIDE = {
    "SourceDenied": failed(StartFailure.SOURCE_DENIED, "reading is denied"),
    "SourceUnreachable": failed(StartFailure.SOURCE_UNREACHABLE, "no answer"),
    "SourceNotFound": failed(StartFailure.SOURCE_NOT_FOUND, "there is no model.onnx"),
    "SecretMissing": failed(StartFailure.SECRET_MISSING, "there is no Secret"),
    "ImagePull": Behaviour(trouble=Trouble.IMAGE_PULL, message="not found"),
    "Unschedulable": Behaviour(trouble=Trouble.UNSCHEDULABLE, message="1 Insufficient memory"),
    "NotAllowed": Behaviour(trouble=Trouble.NOT_ALLOWED, message="exceeded quota"),
}


def serving_v1(behaviour: Behaviour) -> World:
    """v1 serves, and v2, whose pods behave so, is applied."""
    world = World().version("v1").version("v2", behaviour).apply(modelVersion="v1").play(10)
    return world.apply(modelVersion="v2")


def watch(world: World, seconds: int) -> list[tuple[str, ...]]:
    """Every distinct phase, reason and set of conditions, in the order of their appearance."""
    seen = []
    for _ in range(seconds):
        status = world.play(1).last.status
        conditions = {condition.type: condition for condition in status.conditions}
        holds = [kind for kind, condition in conditions.items() if condition.status == "True"]
        seen.append((str(status.phase), conditions["Ready"].reason, *holds))
    return [state for state, _ in groupby(seen)]


@pytest.mark.parametrize("reason", OUTSIDE)
def test_what_is_outside_is_waited_for_without_flapping_while_stable_serves(reason):
    world = serving_v1(OUTSIDE[reason])
    assert watch(world, 600) == [
        ("Starting", "Starting", "Reconciling", "Available"),
        ("Starting", reason, "Reconciling", "Available"),
        ("Failed", reason, "Stalled", "Available"),
    ]
    message = world.last.status.conditions[0].message
    assert message.startswith(NOT_READY)
    assert message.endswith(GOES_ON)
    assert (world.last.route.candidate, world.last.status.version) == (None, "v1")


@pytest.mark.parametrize("reason", OUTSIDE)
def test_what_is_mended_is_gone_and_restarts_on_the_way_are_no_crash_loop(reason):
    world = serving_v1(OUTSIDE[reason])
    world.play(300)
    world.behaviours["v2"] = Behaviour(restarts=5)
    assert [state[:2] for state in watch(world, 15)][:2] == [
        ("Mirroring", "Progressing"),
        ("Mirroring", "WaitingForTraffic"),
    ]
    assert not world.last.status.rejected


SAID_BY_PODS = [reason for reason in OUTSIDE if reason in set(StartFailure)]


@pytest.mark.parametrize("reason", SAID_BY_PODS)
def test_a_new_pod_that_has_said_nothing_yet_takes_nothing_back(reason):
    """Such as that of a node that was drained."""
    world = serving_v1(OUTSIDE[reason]).play(300)
    world.behaviours["v2"] = Behaviour(start_seconds=600, since=world.now)
    assert watch(world, 20) == [("Failed", reason, "Stalled", "Available")]
    world.behaviours["v2"] = OUTSIDE[reason]
    assert watch(world, 20) == [("Failed", reason, "Stalled", "Available")]


@pytest.mark.parametrize("reason", SAID_BY_PODS)
def test_what_pods_waited_for_is_forgotten_once_one_is_ready(reason):
    world = serving_v1(OUTSIDE[reason]).play(300)
    world.behaviours["v2"] = Behaviour()
    assert world.play(5).last.status.rollout.waiting_for is None


def test_what_had_to_wait_for_a_node_has_the_whole_timeout_from_then_on():
    world = serving_v1(OUTSIDE["Unschedulable"]).play(300)
    world.behaviours["v2"] = Behaviour(start_seconds=50, since=world.now)
    assert [state[:2] for state in watch(world, 52)] == [
        ("Starting", "Starting"),
        ("Mirroring", "Progressing"),
        ("Mirroring", "WaitingForTraffic"),
    ]


def test_what_has_not_run_is_not_to_blame():
    """Such as a volume that can't be mounted, or a quota that has room now though no pod has been made yet."""
    world = serving_v1(OUTSIDE["NotAllowed"]).play(300)
    world.no_pods = "v2"
    assert watch(world, 100) == [("Failed", "NotStarted", "Stalled", "Available")]


def test_what_does_not_start_though_it_has_its_node_is_given_up_all_the_same():
    world = serving_v1(OUTSIDE["Unschedulable"]).play(300)
    world.behaviours["v2"] = Behaviour(start_seconds=600, since=world.now)
    assert [state[:2] for state in watch(world, 70)] == [
        ("Starting", "Starting"),
        ("RolledBack", "RolledBack"),
    ]


def test_restarts_under_traffic_are_a_crash_loop_however_many_came_before():
    world = serving_v1(Behaviour(restarts=5)).play(10)
    world.behaviours["v2"] = Behaviour(restarts=8)
    assert (
        world.look().status.rejected[0].message == "a pod of the candidate restarted 3 times, 2 are tolerated"
    )


@pytest.mark.parametrize("failure", [failure for failure in StartFailure if failure.terminal])
def test_a_version_that_is_wrong_in_itself_is_taken_back_and_stays_back(failure):
    world = serving_v1(failed(failure, "model.onnx is not what was tested"))
    assert watch(world, 300) == [
        ("Starting", "Starting", "Reconciling", "Available"),
        ("RolledBack", "RolledBack", "Stalled", "Available"),
    ]


def test_a_first_version_says_the_same_and_serves_when_it_is_mended():
    world = World().version("v1", OUTSIDE["SecretMissing"]).apply(modelVersion="v1")
    assert watch(world, 300) == [
        ("Starting", "Starting", "Reconciling"),
        ("Starting", "SecretMissing", "Reconciling"),
        ("Failed", "SecretMissing", "Stalled"),
    ]
    world.behaviours["v1"] = Behaviour()
    assert watch(world, 5) == [("Serving", "Serving", "Ready", "Available")]


def test_pods_that_are_ready_behind_a_router_that_is_not_are_told_apart():
    world = World(routers=0, router=Workload(1, refusal="exceeded quota: pods")).version("v1")
    assert watch(world.apply(modelVersion="v1"), 10)[-1] == ("Starting", "NotAllowed", "Reconciling")
    assert world.last.status.conditions[0].message == (
        "v1 starts: its pods are ready, but no router of the namespace answers: "
        "pods can't be created: exceeded quota: pods"
    )
    world.routers, world.router = 1, ROUTER
    assert watch(world, 5) == [("Serving", "Serving", "Ready", "Available")]


def test_a_version_in_service_without_a_router_is_not_available():
    world = World().version("v1").apply(modelVersion="v1").play(30)
    world.router = Workload(1, (PodFact("tidegate-router-x", ready=False),))
    assert watch(world, 60) == [("Serving", "RouterAway", "Reconciling")]
    conditions = {condition.type: condition for condition in world.last.status.conditions}
    assert conditions["Ready"].message == (
        "v1 gets no requests: its pods are ready, but no router of the namespace answers"
    )
    assert conditions["Available"].reason == "RouterAway"
    world.router = ROUTER
    assert watch(world, 5) == [("Serving", "Serving", "Ready", "Available")]


def test_a_version_that_waits_for_the_end_of_a_pause_is_not_called_ready():
    world = World().version("v1").version("v2").apply(modelVersion="v1").play(20).apply(paused=True)
    assert watch(world, 30)[-1] == ("Paused", "Paused", "Ready", "Available")
    world.apply(modelVersion="v2")
    assert watch(world, 30) == [("Paused", "Paused", "Reconciling", "Available")]
    assert world.last.status.conditions[0].message == "spec.paused is true: no rollout begins"


POD = {"name": "fraud-1-x", "ready": False}
SENTENCES = {
    "a quota": (
        Workload(wanted=2, pods=(PodFact("fraud-1-x", ready=True),), refusal="exceeded quota: pods"),
        "pods can't be created: exceeded quota: pods",
    ),
    "no node": (
        Workload(1, (PodFact(**POD, trouble=Trouble.UNSCHEDULABLE, message="1 Insufficient memory"),)),
        "no node takes pod fraud-1-x: 1 Insufficient memory; lower spec.serving.resources.requests, or make room",
    ),
    "no node with such a label, and one with a taint": (
        Workload(
            1,
            (
                PodFact(
                    **POD,
                    trouble=Trouble.UNSCHEDULABLE,
                    message="1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s)",
                ),
            ),
        ),
        (
            "no node takes pod fraud-1-x: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had "
            "untolerated taint(s); label a node as spec.serving.nodeSelector wants it, or change that; "
            "name the taint in spec.serving.tolerations, or take it off a node"
        ),
    ),
    "a node that is not ready": (
        Workload(
            1,
            (
                PodFact(
                    **POD,
                    trouble=Trouble.UNSCHEDULABLE,
                    message="1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
                ),
            ),
        ),
        "no node takes pod fraud-1-x: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
    ),
    "an image": (
        Workload(1, (PodFact(**POD, trouble=Trouble.IMAGE_PULL, message="not found"),)),
        "the image of pod fraud-1-x can't be pulled: not found",
    ),
    "a crash": (
        Workload(
            1, (PodFact(**POD, restarts=2, trouble=Trouble.CRASH_LOOP, message="its last exit code was 3"),)
        ),
        "pod fraud-1-x ends before it is ready, 2 restarts so far; its last exit code was 3",
    ),
    "too little memory": (
        Workload(1, (PodFact(**POD, trouble=Trouble.OUT_OF_MEMORY),)),
        (
            "pod fraud-1-x needed more memory than its limit and was killed; "
            "raise spec.serving.resources.limits.memory"
        ),
    ),
}


@pytest.mark.parametrize("cause", SENTENCES)
def test_each_obstacle_is_one_sentence(cause):
    workload, sentence = SENTENCES[cause]
    assert find_obstacle(workload).message == sentence
