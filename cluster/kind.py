"""The kind cluster `tidegate`: created with our mark on it, woken when it sleeps, deleted without a trace."""

import os
import socket
import time
import uuid
from pathlib import Path

from cluster import cache, host, node_image, programs, registry
from cluster.steps import Refusal, output_of, say, step, succeeds

NAME = "tidegate"
NODE = f"{NAME}-control-plane"
MARK = "tidegate-made-this-cluster"
NODE_PORTS = (30080, 30081)
READY_SECONDS = 180
GIGABYTES_TO_RUN = 3
# Lies in the cache while the cluster is being made; where it is found later, that was interrupted.
UNFINISHED = cache.ROOT / "cluster-unfinished"
# A process's `exe` leads to its binary, wherever its image keeps it and whatever else that image lacks.
GATHER_CONTROL_PLANE = """
mkdir -p /kind/control-plane
cd /kind/control-plane
for process in /proc/[0-9]*; do
  name=$(basename "$(readlink $process/exe)")
  case $name in etcd | kube-apiserver | kube-controller-manager | kube-scheduler) cat $process/exe >$name ;; esac
done
cp "$(command -v kubectl)" kubectl
chmod 755 *
"""


def up() -> None:
    """Makes sure that the cluster runs, answers names and bears our mark."""
    host.ensure_docker()
    if UNFINISHED.exists():
        delete()
    if not _exists():
        ports = _host_ports()  # before anything that takes long
        _create(_node_image(), ports)
    else:
        _wake()
    _wait_until("the API server answers", "get", "--raw", "/readyz")
    _mark()
    with step("CoreDNS ready", limit_seconds=READY_SECONDS) as this:
        this.run(*_kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s"))
    _write_environment()
    say(f"the cluster is up: export KUBECONFIG={cache.KUBECONFIG}")


def delete() -> None:
    """Removes the cluster and what we wrote down about it; a cluster that is not there is fine."""
    host.ensure_docker()
    if _exists():
        with step("delete cluster") as this:
            this.run(programs.kind(), "delete", "cluster", "--name", NAME, "--kubeconfig", cache.KUBECONFIG)
    for written in (cache.KUBECONFIG, cache.CLUSTER_MARK, cache.CLUSTER_ENV, UNFINISHED):
        cache.discard(written)


def _node_image() -> str:
    """The node image to use: TIDEGATE_NODE_IMAGE (from a mirror, say), the published one, or one built here."""
    if chosen := os.environ.get("TIDEGATE_NODE_IMAGE"):
        return chosen
    if registry.is_here(node_image.IMAGE):
        return node_image.IMAGE
    published = f"kindest/node:v{programs.version_of('kubernetes')}"
    return published if registry.pulled(published) else node_image.build()


def _create(image: str, ports: list[int]) -> None:
    host.require_disk(GIGABYTES_TO_RUN, "A cluster")
    settings = cache.ROOT / "kind.yaml"
    settings.write_text(_settings(image, ports))
    UNFINISHED.touch()
    with step("create cluster", limit_seconds=420) as this:
        command = (programs.kind(), "create", "cluster", "--name", NAME, "--image", image, "--wait", "180s")
        this.run(*command, "--config", settings, "--kubeconfig", cache.KUBECONFIG)


def _settings(image: str, ports: list[int]) -> str:
    lines = [
        "kind: Cluster",
        "apiVersion: kind.x-k8s.io/v1alpha4",
        "networking:",
        "  podSubnet: 10.244.0.0/16",
    ]
    if image == node_image.IMAGE:
        lines.append("  disableDefaultCNI: true # the image has its own")
    lines += ["nodes:", "- role: control-plane", "  extraPortMappings:"]
    for inside, outside in zip(NODE_PORTS, ports, strict=True):
        lines.append(f"  - {{containerPort: {inside}, hostPort: {outside}, listenAddress: 127.0.0.1}}")
    return "\n".join(lines) + "\n"


def _host_ports() -> list[int]:
    ports = [int(port) for port in os.environ.get("TIDEGATE_HOST_PORTS", "30080,30081").split(",")]
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise Refusal(
                    f"Port {port} on 127.0.0.1 is taken: choose two free ones, "
                    f"`TIDEGATE_HOST_PORTS=31080,31081 make cluster`."
                )
    return ports


def _exists() -> bool:
    return succeeds("docker", "container", "inspect", NODE)


def _wake() -> None:
    if output_of("docker", "inspect", "-f", "{{.State.Running}}", NODE) != "true":
        say("the cluster was stopped, perhaps with its Docker daemon; it is started again")
        output_of("docker", "start", NODE)
    if not cache.KUBECONFIG.is_file():
        output_of(programs.kind(), "export", "kubeconfig", "--name", NAME, "--kubeconfig", cache.KUBECONFIG)


def _kubectl(*arguments: str) -> list[str]:
    """Kubectl inside the node: it fits the API server, and the host needs none."""
    return ["docker", "exec", NODE, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", *arguments]


def _wait_until(what: str, *arguments: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not succeeds(*_kubectl(*arguments)):
        if time.monotonic() > deadline:
            raise Refusal(
                f"Within {READY_SECONDS} s it did not come about that {what}: "
                f"`make cluster-delete cluster` makes a new cluster."
            )
        time.sleep(0.5)


def _mark() -> None:
    """Puts our mark on a new cluster, and refuses one of the same name that somebody else made."""
    read = ("-n", "kube-system", "get", "configmap", MARK, "-o", "jsonpath={.data.id}", "--ignore-not-found")
    found = output_of(*_kubectl(*read))
    known = cache.CLUSTER_MARK.read_text().strip() if cache.CLUSTER_MARK.is_file() else ""
    if not found and not known:
        found = known = str(uuid.uuid4())
        cache.CLUSTER_MARK.write_text(f"{known}\n")
        output_of(*_kubectl("-n", "kube-system", "create", "configmap", MARK, f"--from-literal=id={known}"))
    UNFINISHED.unlink(missing_ok=True)
    if found != known:
        raise Refusal(
            f"A kind cluster {NAME} exists that was not made with the cache {cache.ROOT}: "
            f"`make cluster-delete cluster` replaces it."
        )


def _write_environment() -> None:
    """Tells tests where the cluster is, and where a control plane lies that they may start alone."""
    binaries = _control_plane_binaries()
    ports = output_of("docker", "port", NODE).splitlines()
    published = {line.split("/")[0]: line.rsplit(":", 1)[1] for line in ports}
    values = {
        "TIDEGATE_KUBECONFIG": str(cache.KUBECONFIG),
        "TIDEGATE_CLUSTER_MARK": cache.CLUSTER_MARK.read_text().strip(),
        "TIDEGATE_HOST_PORTS": ",".join(published[str(port)] for port in NODE_PORTS),
        "TIDEGATE_API_BINARIES": str(binaries),
        "TIDEGATE_KUBECTL": str(binaries / "kubectl"),
    }
    cache.write_env(cache.CLUSTER_ENV, values)


def _control_plane_binaries() -> Path:
    """The control plane and kubectl as they run in the node, copied out once for each node image."""
    image = output_of("docker", "inspect", "-f", "{{.Image}}", NODE).removeprefix("sha256:")[:12]
    folder = cache.ROOT / "bin" / f"control-plane-{image}"
    if folder.is_dir():
        return folder
    with step("copy the control plane out of the node") as this, cache.making(folder) as partial:
        partial.mkdir()
        this.run("docker", "exec", NODE, "bash", "-euc", GATHER_CONTROL_PLANE)
        this.run("docker", "cp", f"{NODE}:/kind/control-plane/.", partial)
        this.run("docker", "exec", NODE, "rm", "-r", "/kind/control-plane")
    cache.discard_others(folder, "control-plane-*")
    return folder
