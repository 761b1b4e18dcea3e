"""The cluster to stand on: the one that this repository made, and no other."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster import cache

from demo.kubectl import Kubectl, ProgramFailedError, run
from demo.waiting import OPERATOR_READY

SYSTEM_NAMESPACE: Final = "tidegate-system"
MARK_NAME: Final = "tidegate-made-this-cluster"
IMAGES: Final = tuple(f"TIDEGATE_{part}_IMAGE" for part in ("OPERATOR", "PREDICTOR", "ROUTER", "STORE"))
CHARTS: Final = Path(__file__).resolve().parent.parent / "charts"


class NotOurClusterError(RuntimeError):
    """There is no cluster that bears this repository's mark; the message says what to run."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything here runs with."""

    kubectl: Kubectl
    helm: str
    images: Mapping[str, str]
    """As `make images` wrote them: TIDEGATE_OPERATOR_IMAGE and so on."""
    host_ports: tuple[int, int]
    """Ports of 127.0.0.1 that lead to the cluster's node ports 30080 and 30081."""


def find_ground() -> Ground:
    """Finds the cluster of `make cluster`.

    Raises:
        NotOurClusterError: It is not there, or what answers was not made here. Without the mark, a kubeconfig that
            was copied over ours would have the demo delete namespaces in somebody's production.
    """
    files = (cache.KUBECONFIG, cache.CLUSTER_MARK, cache.CLUSTER_ENV)
    if not all(file.is_file() for file in files):
        raise NotOurClusterError("this repository has made no cluster yet; run `make cluster`")
    settings = cache.read_env(cache.CLUSTER_ENV)
    kubectl = Kubectl(settings["TIDEGATE_KUBECTL"], cache.KUBECONFIG)
    try:
        mark = kubectl.within("kube-system").get("configmap", MARK_NAME)
    except ProgramFailedError as error:
        raise NotOurClusterError(f"the cluster does not answer; run `make cluster` ({error})") from error
    found = (mark or {}).get("data", {}).get("id")
    wanted = cache.CLUSTER_MARK.read_text().strip()
    if found != wanted:
        raise NotOurClusterError(
            f"the cluster behind {cache.KUBECONFIG} bears the mark {found}, not {wanted}: it was not made here; "
            "run `make cluster-delete cluster`"
        )
    images = cache.read_env(cache.IMAGES_ENV)
    if missing := [name for name in IMAGES if name not in images]:
        raise NotOurClusterError(f"{', '.join(missing)} not built yet; run `make images`")
    first, second = map(int, settings["TIDEGATE_HOST_PORTS"].split(","))
    return Ground(kubectl, _find_helm(), images, (first, second))


@contextmanager
def hold_ground() -> Iterator[Ground]:
    """The cluster of `make cluster`, for this process alone: each of us installs an operator of its own there, and
    some kill it.

    Raises:
        NotOurClusterError: As `find_ground`, or another process holds it.
    """
    cache.ROOT.mkdir(parents=True, exist_ok=True)
    with (cache.ROOT / "ground-lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotOurClusterError(
                "a demo, a test, a drill or a benchmark runs on this cluster; wait for its end"
            ) from error
        yield find_ground()


def install_operator(ground: Ground, *values: str, release_policies: Sequence[object] = ()) -> None:
    """Installs CRDs and operator from charts/ with the images that were built here, and waits for it.

    `values` are the chart's, such as `routerReplicas=2`; `release_policies` those of that name.
    """
    ground.kubectl.make_namespace(SYSTEM_NAMESPACE)
    _install(ground, "tidegate-crds")
    images = {
        part: ground.images[f"TIDEGATE_{part.upper()}_IMAGE"] for part in ("operator", "predictor", "router")
    }
    values = (*(f"images.{part}={image}" for part, image in images.items()), *values)
    try:
        policies = f"--set-json=releasePolicies={json.dumps(release_policies)}"
        _install(ground, "tidegate", *(f"--set={value}" for value in values), policies)
    except ProgramFailedError as error:
        # Helm only knows that it waited in vain; the operator's last words know why.
        raise ProgramFailedError(
            f"{error}\n{_last_words(ground.kubectl.within(SYSTEM_NAMESPACE))}"
        ) from error


def _install(ground: Ground, chart: str, *arguments: str) -> None:
    run(
        ground.helm,
        "upgrade",
        "--install",
        chart,
        str(CHARTS / chart),
        f"--kubeconfig={ground.kubectl.kubeconfig}",
        f"--namespace={SYSTEM_NAMESPACE}",
        "--wait",
        f"--timeout={OPERATOR_READY.seconds:.0f}s",
        *arguments,
        timeout_seconds=OPERATOR_READY.seconds + 30,
    )


def _last_words(kubectl: Kubectl) -> str:
    pods = kubectl.run("get", "pods")
    return pods + kubectl.run("logs", "--selector=app.kubernetes.io/part-of=tidegate", "--tail=5", "--prefix")


def _find_helm() -> str:
    # Beside this interpreter first: the lock pins that one (helm-binary).
    return shutil.which("helm", path=str(Path(sys.executable).parent)) or "helm"
