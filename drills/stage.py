"""Setting the stage: the operator with two routers a namespace, and a namespace with the versions in it."""

from __future__ import annotations

from typing import Final

from demo.entrance import open_entrance
from demo.ground import Ground, install_operator
from demo.kubectl import Kubectl
from tests.cluster.library import NAMESPACE as STORE_NAMESPACE
from tests.cluster.library import open_library

from drills.gate import remove_gate
from drills.scene import Stage

NAMESPACE: Final = "drills"
_FILLED_FROM: Final = "drills.tidegate.io/filled-from"


def open_stage(ground: Ground) -> Stage:
    """Installs the operator as production would have it, and fills the namespace, unless that was done before."""
    print("installing the operator, with two routers a namespace", flush=True)
    remove_gate(ground.kubectl)
    install_operator(ground, "routerReplicas=2")
    kubectl = ground.kubectl.within(NAMESPACE)
    store = _find_store(ground.kubectl.within(STORE_NAMESPACE))
    namespace = kubectl.get("namespace", NAMESPACE) or {"metadata": {}}
    if store and namespace["metadata"].get("annotations", {}).get(_FILLED_FROM) == store:
        kubectl.run("delete", "modeldeployments", "--all", "--wait=false")
    else:
        _fill(ground, kubectl)
    return Stage(kubectl, open_entrance(ground, kubectl))


def _fill(ground: Ground, kubectl: Kubectl) -> None:
    print("packaging four models", flush=True)
    library = open_library(ground)
    kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=150s", timeout_seconds=160)
    kubectl.make_namespace(NAMESPACE)
    kubectl.apply(library.secret, *library.versions.values())
    store = _find_store(ground.kubectl.within(STORE_NAMESPACE))
    kubectl.run("annotate", "namespace", NAMESPACE, "--overwrite", f"{_FILLED_FROM}={store}")


def _find_store(kubectl: Kubectl) -> str:
    """Which pod holds the bundles; with another one, they are gone."""
    pods = kubectl.find("pods", "app.kubernetes.io/name=store")
    return str(pods[0]["metadata"]["uid"]) if pods else ""
