"""Why a pod is not ready, in our words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tidegate_operator.observe.workloads import parse_pod, parse_workload
from tidegate_operator.plan.facts import Trouble

PULL = "failed to pull image: no such image"
BACK_OFF = 'Back-off pulling image "predictor:2"'
CODE = "its last exit code was 3"
QUOTA = 'pods "fraud-1-x7k2p" is forbidden: exceeded quota: small'


def pod(
    *, ready: bool = False, conditions: tuple[dict[str, Any], ...] = (), **container: Any
) -> dict[str, Any]:
    """A pod as the API server tells it."""
    conditions = ({"type": "Ready", "status": str(ready)}, *conditions)
    return {
        "metadata": {"name": "fraud-1-x", "namespace": "shop"},
        "status": {"conditions": list(conditions), "containerStatuses": [container] if container else []},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """A container state."""
    return {"waiting": {"reason": reason, "message": message}}


def ended(reason: str = "Error", message: str = "", code: int = 1) -> dict[str, Any]:
    """A container state."""
    return {"terminated": {"reason": reason, "message": message, "exitCode": code}}


@pytest.mark.parametrize(
    ("container", "trouble", "said"),
    [
        (
            {"state": waiting("ErrImagePull", f"rpc error: code = NotFound desc = {PULL}")},
            Trouble.IMAGE_PULL,
            PULL,
        ),
        (
            {"state": waiting("ImagePullBackOff", f"{BACK_OFF}: ErrImagePull: {PULL}")},
            Trouble.IMAGE_PULL,
            PULL,
        ),
        ({"state": waiting("ImagePullBackOff", BACK_OFF)}, Trouble.IMAGE_PULL, ""),
        ({"state": waiting("CreateContainerConfigError", "no secret")}, Trouble.NOT_ALLOWED, "no secret"),
        ({"state": waiting("CrashLoopBackOff"), "lastState": ended(code=3)}, Trouble.CRASH_LOOP, CODE),
        ({"state": {"running": {}}, "lastState": ended(code=3)}, Trouble.CRASH_LOOP, CODE),
        ({"state": ended(code=3)}, Trouble.CRASH_LOOP, CODE),
        ({"state": waiting("CrashLoopBackOff"), "lastState": ended("OOMKilled")}, Trouble.OUT_OF_MEMORY, ""),
        ({"state": ended("OOMKilled")}, Trouble.OUT_OF_MEMORY, ""),
        ({"state": waiting("ContainerCreating")}, None, ""),
        ({"state": {"running": {}}}, None, ""),
    ],
)
def test_trouble_is_named(container: dict[str, Any], trouble: Trouble | None, said: str) -> None:
    fact = parse_pod(pod(**container))
    assert fact.trouble == trouble
    assert fact.message == said


def test_the_predictors_last_word_wins() -> None:
    message = '{"reason": "DigestMismatch", "message": "model.onnx is not what was tested"}'
    fact = parse_pod(pod(state=waiting("CrashLoopBackOff"), lastState=ended(message=message), restartCount=2))
    assert (fact.trouble, fact.reason, fact.restarts) == (Trouble.START_FAILED, "DigestMismatch", 2)
    assert fact.message == "model.onnx is not what was tested"


def test_a_lack_of_memory_wins_over_what_an_earlier_try_left() -> None:
    message = '{"reason": "SourceUnreachable", "message": "no answer"}'
    fact = parse_pod(pod(state=ended("OOMKilled", message=message)))
    assert fact.trouble is Trouble.OUT_OF_MEMORY


def test_a_pod_without_a_node_says_what_the_scheduler_said_first() -> None:
    words = (
        "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No victims."
    )
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words}
    fact = parse_pod(pod(conditions=(condition,)))
    assert (fact.trouble, fact.message) == (
        Trouble.UNSCHEDULABLE,
        "0/1 nodes are available: 1 Insufficient memory",
    )


def test_what_has_run_is_known_by_when_its_container_began() -> None:
    assert parse_pod(pod(state=waiting("ContainerCreating"))).running_since is None
    running = {"running": {"startedAt": "2026-01-01T00:00:09Z"}}
    assert parse_pod(pod(state=running)).running_since == datetime(2026, 1, 1, 0, 0, 9, tzinfo=UTC)


def test_a_ready_pod_is_in_no_trouble_whatever_it_went_through() -> None:
    fact = parse_pod(pod(ready=True, state={"running": {}}, lastState=ended("OOMKilled"), restartCount=1))
    assert (fact.ready, fact.trouble, fact.restarts) == (True, None, 1)


def test_a_quota_is_told_in_the_api_servers_words_and_leaving_pods_do_not_count() -> None:
    deployment = {
        "spec": {"replicas": 2},
        "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": QUOTA}]},
    }
    leaving = pod(ready=True)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    workload = parse_workload(deployment, [leaving])
    assert (workload.wanted, workload.pods, workload.refusal) == (2, (), "exceeded quota: small")
