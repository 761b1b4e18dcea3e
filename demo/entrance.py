"""The entrance: a node port of the cluster that leads to the routers of one namespace, as a load balancer's would."""

from __future__ import annotations

from typing import Final

from demo.ground import Ground
from demo.kubectl import Kubectl

NODE_PORT: Final = 30081
_NAME: Final = "entrance"
_SERVICE: Final = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": _NAME},
    "spec": {
        "type": "NodePort",
        "selector": {"app.kubernetes.io/name": "tidegate-router", "app.kubernetes.io/part-of": "tidegate"},
        "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": NODE_PORT}],
    },
}


def open_entrance(ground: Ground, kubectl: Kubectl) -> int:
    """The port of 127.0.0.1 that leads to the routers of kubectl's namespace from now on.

    There is one. Whoever had it gives it up: a run that was cut off has left its namespace behind.
    """
    for namespace in _find_holders(ground.kubectl) - {kubectl.namespace}:
        ground.kubectl.within(namespace).run("delete", "service", _NAME, "--ignore-not-found")
    kubectl.apply(_SERVICE)
    return ground.host_ports[1]


def _find_holders(kubectl: Kubectl) -> set[str]:
    listed = kubectl.run(
        "get",
        "services",
        "--all-namespaces",
        f"--field-selector=metadata.name={_NAME}",
        "--output=jsonpath={.items[*].metadata.namespace}",
    )
    return set(listed.split())
