"""NetworkPolicies by packets: what a network plugin lets through is what the unit test reads in them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from demo.ground import Ground
from demo.kubectl import Kubectl
from demo.waiting import Deadline, wait_for
from tests.unit.routing import test_policies as reading
from tests.unit.routing.test_policies import Pod

from tidegate_operator.main.settings import PROMETHEUS
from tidegate_operator.routing.policies import Neighbours, build_policies

PODS = {
    "router": reading.ROUTER,
    "predictor": reading.PREDICTOR,
    "app": reading.SHOP_APP,
    "other-router": reading.OTHER_ROUTER,
    "other-predictor": reading.OTHER_PREDICTOR,
    "impostor": reading.IMPOSTOR,
    "operator": reading.OPERATOR,
    "prometheus": reading.PROMETHEUS_POD,
    "ingress": reading.INGRESS,
}
PORTS = (reading.PREDICT, reading.STATS, reading.REQUESTS, reading.XDS)
DENIED = Pod("denied", {"app": "denied"})
LISTEN = "import socket, time; s = [socket.create_server(('', p)) for p in {ports}]; time.sleep(1e6)"
CONNECT = """
import concurrent.futures, socket
def connect(target):
    try:
        socket.create_connection(target, timeout=2).close()
    except OSError:
        return False
    return True
with concurrent.futures.ThreadPoolExecutor(50) as pool:
    print([int(found) for found in pool.map(connect, {targets})])
"""
READY = Deadline("every pod's readiness", 120)
IN_FORCE_SECONDS = 20
LOOKS_THAT_TELL = 3


def place_of(pod: Pod) -> str:
    """The namespace on the cluster that stands for one of the unit test."""
    return f"policies-{pod.namespace}"


class Network:
    """Pods that listen on all of our ports, and call each other."""

    def __init__(self, ground: Ground) -> None:
        self._kubectl = ground.kubectl
        self._image = ground.images["TIDEGATE_OPERATOR_IMAGE"]
        self._addresses: dict[str, str] = {}

    def start(self, pods: dict[str, Pod]) -> None:
        for namespace in {place_of(pod) for pod in pods.values()}:
            self._kubectl.make_namespace(namespace)
        for name, pod in pods.items():
            self._within(pod).apply(self._build(name, pod))
        self._addresses = wait_for(READY, lambda: self._find_addresses(pods), last_seen=self._addresses.keys)

    def apply(self, *policies: Any) -> None:
        for policy in policies:
            self._kubectl.within(policy["metadata"]["namespace"]).apply(policy)

    def call(self, caller: str, pod: Pod, targets: list[tuple[str, int]]) -> list[bool]:
        """Whether a pod gets a connection to each of the others' ports."""
        addresses = [(self._addresses[name], port) for name, port in targets]
        program = CONNECT.format(targets=addresses)
        answers: list[int] = json.loads(self._within(pod).run("exec", caller, "--", "python3", "-c", program))
        return [answer == 1 for answer in answers]

    def end(self, pods: dict[str, Pod]) -> None:
        for namespace in {place_of(pod) for pod in pods.values()}:
            self._kubectl.run("delete", "namespace", namespace, "--wait=false")

    def _within(self, pod: Pod) -> Kubectl:
        return self._kubectl.within(place_of(pod))

    def _find_addresses(self, pods: dict[str, Pod]) -> dict[str, str]:
        found = {name: self._within(pod).get("pod", name) or {} for name, pod in pods.items()}
        ready = {name: body["status"]["podIP"] for name, body in found.items() if _is_ready(body)}
        return ready if len(ready) == len(pods) else {}

    def _build(self, name: str, pod: Pod) -> dict[str, Any]:
        contained = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        container = {
            "name": "python",
            "image": self._image,
            "command": ["python3", "-c", LISTEN.format(ports=PORTS)],
            "readinessProbe": {"tcpSocket": {"port": PORTS[0]}, "periodSeconds": 1},
            "securityContext": contained,
        }
        spec = {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        }
        metadata = {"name": name, "namespace": place_of(pod), "labels": pod.labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _is_ready(body: dict[str, Any]) -> bool:
    conditions = body.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@pytest.fixture
def network(ground: Ground) -> Iterator[Network]:
    """The pods, on a network that is seen to enforce a policy that lets nobody in."""
    made, pods = Network(ground), {**PODS, "denied": DENIED}
    made.start(pods)
    try:
        made.apply(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "nobody", "namespace": place_of(DENIED)},
                "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
            }
        )
        _require_enforcement(made)
        yield made
    finally:
        made.end(pods)


def _require_enforcement(network: Network) -> None:
    """Only who keeps refusing the one pod while it lets another be reached enforces: a lost packet is no policy."""
    deadline = time.monotonic() + IN_FORCE_SECONDS
    told, targets = 0, [("denied", PORTS[0]), ("router", PORTS[0])]
    while told < LOOKS_THAT_TELL:
        told = told + 1 if network.call("app", PODS["app"], targets) == [False, True] else 0
        if time.monotonic() > deadline:
            pytest.skip(
                "this cluster's network enforces no NetworkPolicy (docs/security.md names one that does)"
            )


def test_each_connection_is_let_through_or_not_as_the_policies_read(network: Network) -> None:
    """Every pod to every port of every other: the kubelet's probes pass besides, or no pod would be ready."""
    neighbours = Neighbours(place_of(reading.OPERATOR), reading.XDS, (PROMETHEUS,))
    network.apply(*build_policies(place_of(reading.ROUTER), [], neighbours))
    targets = [(name, port) for name in PODS for port in PORTS]
    wanted = {
        name: [reading.may(pod, PODS[to], port) for to, port in targets if to != name]
        for name, pod in PODS.items()
    }

    def look() -> dict[str, list[bool]]:
        return {
            name: network.call(name, pod, [each for each in targets if each[0] != name])
            for name, pod in PODS.items()
        }

    deadline = time.monotonic() + IN_FORCE_SECONDS
    while (seen := look()) != wanted and time.monotonic() < deadline:
        pass
    assert seen == wanted
