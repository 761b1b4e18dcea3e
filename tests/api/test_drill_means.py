"""The means of the drills, tried on a real API server: the gate before a transition, and a server without room."""

from __future__ import annotations

import json

import pytest
from cluster.api_server import ApiServer, find_binary
from demo.kubectl import Kubectl, ProgramFailedError
from demo.waiting import Deadline, wait_for
from drills.gate import find_held, gate, open_gate, wait_until_in_force
from drills.no_room import no_room_for_operator
from drills.transitions import Place
from tests.api.accounts import token_of
from tests.api.client import open_client
from tests.api.helm import SYSTEM
from tests.api.namespace import Namespace

MIRRORS = {
    "stable": {
        "modelVersion": "income-1",
        "revision": "r1",
        "digest": "sha256:" + "0" * 64,
        "since": "2026-01-01T00:00:00Z",
    },
    "traffic": {"desired": {"candidateWeight": 0, "mirror": 100}},
}
PLACE = Place(stable="income-1", mirror=100)


@pytest.fixture
def kubectl(api_server: ApiServer, namespace: Namespace, tmp_path) -> Kubectl:
    config = api_server.write_kubeconfig(tmp_path / "kubeconfig")
    return Kubectl(str(find_binary("kubectl")), config, namespace.name)


def store(kubectl: Kubectl, status: dict[str, object]) -> None:
    command = ("patch", "modeldeployment", "fraud", "--subresource=status", "--type=merge")
    kubectl.run(*command, f"--patch={json.dumps({'status': status})}")


def test_the_gate_holds_a_transition_until_it_is_opened_for_it(kubectl: Kubectl) -> None:
    kubectl.apply(
        {
            "apiVersion": "tidegate.io/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": "fraud"},
            "spec": {"modelVersion": "income-1"},
        }
    )
    with gate(kubectl):
        wait_until_in_force(kubectl)
        store(kubectl, {"phase": "Starting"})  # no transition
        with pytest.raises(ProgramFailedError) as held:
            store(kubectl, MIRRORS)
        assert find_held(f"/fraud/status {held.value}".replace("\n", " "), "fraud") == str(PLACE)
        open_gate(kubectl, "fraud", PLACE)
        store(kubectl, MIRRORS)


def test_an_operator_that_is_refused_gets_429_for_everything(
    kubectl: Kubectl, api_server: ApiServer, admin
) -> None:
    headers = {"Authorization": f"Bearer {token_of(admin, SYSTEM, 'tidegate-operator')}"}
    path = "/apis/tidegate.io/v1alpha1/modeldeployments"
    with open_client(api_server) as client:

        def answers(status: int) -> bool:
            return client.get(path, headers=headers).status_code == status

        with no_room_for_operator(kubectl, "127.0.0.1"):
            wait_for(Deadline("the first 429", 20), lambda: answers(429))
        wait_for(Deadline("the first answer", 20), lambda: answers(200))
