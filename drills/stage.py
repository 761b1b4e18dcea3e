"""Setting the stage: the operator with two routers a namespace, and a namespace with the versions in it."""

from __future__ import annotations

from typing import Final

from demo.entrance import open_entrance
from demo.ground import Ground, install_operator
from tests.cluster.library import open_library

from drills.gate import remove_gate
from drills.scene import Stage

NAMESPACE: Final = "drills"


def open_stage(ground: Ground) -> Stage:
    """Installs the operator as production would have it, and fills the namespace.

    Anew each time: tests of another commit may have put other bundles where those of the last time lay.
    """
    print("installing the operator, with two routers a namespace", flush=True)
    remove_gate(ground.kubectl)
    install_operator(ground, "routerReplicas=2")
    kubectl = ground.kubectl.within(NAMESPACE)
    print("packaging four models", flush=True)
    library = open_library(ground)
    kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=150s", timeout_seconds=160)
    kubectl.make_namespace(NAMESPACE)
    kubectl.apply(library.secret, *library.versions.values())
    return Stage(kubectl, open_entrance(ground, kubectl))
