"""The control plane: API server, the controllers that turn Deployments into pods, and KWOK, which makes those ready."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cluster import programs
from cluster.api_server import ADMIN_TOKEN, ApiServer, find_binary, free_port, run_api_server, run_program

REPOSITORY = Path(__file__).resolve().parents[2]
KWOK = REPOSITORY / "bench/programs/kwok"
OPERATOR_NAMESPACE = "tidegate-system"
OPERATOR = "tidegate-operator"
# On the loopback, so that whoever asks a pod by its address reaches this machine and nothing else.
POD_ADDRESSES = "127.32.0.0/16"
# The default of 20 requests a second is the controllers' own limit; with it, a thousand Deployments take minutes
# that say nothing about the operator.
CONTROLLER_QPS = 400


@contextmanager
def run_control_plane(folder: Path) -> Iterator[ApiServer]:
    """Run it with the charts installed, until the block ends."""
    kwok = programs.build(KWOK, limit_seconds=900) / "kwok"
    with ExitStack() as running:
        # No controller takes the taint off again that this plugin puts on new nodes.
        flags = ["--disable-admission-plugins=TaintNodesByCondition"]
        server = running.enter_context(run_api_server(folder, flags=flags))
        kubeconfig = server.write_kubeconfig(folder / "admin.kubeconfig")
        controllers = ("deployment-controller", "replicaset-controller", "garbage-collector-controller")
        running.enter_context(
            run_program(
                folder,
                find_binary("kube-controller-manager"),
                *_client_flags(kubeconfig),
                f"--controllers={','.join(controllers)}",
                f"--kube-api-qps={CONTROLLER_QPS}",
                f"--kube-api-burst={2 * CONTROLLER_QPS}",
                "--concurrent-deployment-syncs=10",
                "--concurrent-replicaset-syncs=10",
            )
        )
        running.enter_context(
            run_program(folder, find_binary("kube-scheduler"), *_scheduler_flags(folder, kubeconfig))
        )
        running.enter_context(
            run_program(
                folder,
                kwok,
                f"--kubeconfig={kubeconfig}",
                "--manage-all-nodes=true",
                f"--cidr={POD_ADDRESSES}",
                environment={"HOME": str(folder)},
            )
        )
        for chart in ("tidegate-crds", "tidegate"):
            _install(server, chart)
        yield server


def _client_flags(kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
    ]


def _scheduler_flags(folder: Path, kubeconfig: Path) -> list[str]:
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {
            "kubeconfig": str(kubeconfig),
            "qps": CONTROLLER_QPS,
            "burst": 2 * CONTROLLER_QPS,
        },
    }
    path = folder / "scheduler.yaml"
    path.write_text(json.dumps(config))
    return [f"--config={path}", "--bind-address=127.0.0.1", f"--secure-port={free_port()}"]


def _install(server: ApiServer, chart: str) -> None:
    command = [
        str(Path(sys.executable).parent / "helm"),
        *("upgrade", "--install", "--create-namespace", chart, str(REPOSITORY / "charts" / chart)),
        f"--namespace={OPERATOR_NAMESPACE}",
        f"--kube-apiserver={server.url}",
        f"--kube-ca-file={server.certificate}",
        f"--kube-token={ADMIN_TOKEN}",
    ]
    subprocess.run(command, check=True, capture_output=True)
