"""The node: processes of pods, and what the kubelet starts by itself, reached by way of the node's container."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cluster.kind import NODE
from demo.kubectl import Kubectl, ProgramFailedError, run

# The container of each pod that only holds its network.
_HOLDER: Final = "pause"
_API_SERVER: Final = "/etc/kubernetes/manifests/kube-apiserver.yaml"
_ASIDE: Final = "/etc/kubernetes/kube-apiserver.yaml.aside"
_FIND: Final = f"""
for folder in /proc/[0-9]*; do
  grep -qs "pod$1" $folder/cgroup || continue
  case $(readlink $folder/exe) in */{_HOLDER} | "") continue ;; esac
  echo ${{folder#/proc/}}
done
"""


def on_node(script: str, *arguments: str) -> str:
    """Runs a shell script in the node; gives what it wrote."""
    return run("docker", "exec", NODE, "sh", "-c", script, "sh", *arguments)


def find_processes(uid: str) -> list[str]:
    """Ids, as the node counts them, of the processes of a pod."""
    return on_node(_FIND, uid.replace("-", "_")).split()


def signal(uid: str, name: str) -> None:
    """Sends a signal (KILL, STOP, CONT) to all processes of a pod.

    Raises:
        ProgramFailedError: There is none: nothing would be drilled.
    """
    processes = find_processes(uid)
    if not processes:
        raise ProgramFailedError(f"pod {uid} has no process on {NODE} that {name} could be sent to")
    on_node('name=$1; shift; kill -s "$name" "$@" || true', name, *processes)


def read_memory_mib(uid: str) -> float:
    """Memory that the processes of a pod hold (VmRSS)."""
    script = "for process; do grep -s VmRSS /proc/$process/status; done"
    lines = on_node(script, *find_processes(uid)).splitlines()
    return sum(int(line.split()[1]) for line in lines) / 1024


@contextmanager
def stopped(*uids: str) -> Iterator[None]:
    """Pods whose processes stand still while the block runs: they hang, and their connections stay open."""
    for uid in uids:
        signal(uid, "STOP")
    try:
        yield
    finally:
        for uid in uids:
            if processes := find_processes(uid):
                on_node('kill -s CONT "$@" || true', *processes)


@contextmanager
def slowed(uid: str, *, running_percent: int) -> Iterator[None]:
    """A pod that gets a share of one processor only, stopped and let go ten times a second."""
    run_for = running_percent / 1000
    script = f"""
    while test -e /tmp/slowed; do
      kill -s STOP "$@" 2>/dev/null || exit 0; sleep {0.1 - run_for:.3f}
      kill -s CONT "$@" 2>/dev/null || exit 0; sleep {run_for:.3f}
    done
    kill -s CONT "$@"
    """
    on_node("touch /tmp/slowed")
    run("docker", "exec", "--detach", NODE, "sh", "-c", script, "sh", *find_processes(uid))
    try:
        yield
    finally:
        on_node("rm /tmp/slowed; sleep 0.3")


def exhaust_memory(uid: str) -> None:
    """Takes all the memory that a pod may have, from within its limit; the kernel then kills whom it counts first.

    That is the pod's own process: Kubernetes has told the kernel to rather spare all others.
    """
    take = 'for (1..64) { push @all, "x" x (16 << 20); select(undef, undef, undef, 0.05) }'
    on_node(
        f"""
        folder=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/$1/cgroup)
        test -f $folder/cgroup.procs || folder=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$1/cgroup)
        (echo $(sh -c 'echo $PPID') > $folder/cgroup.procs; exec perl -e '{take}') || true
        """,
        find_processes(uid)[0],
    )


@contextmanager
def without_api_server(kubectl: Kubectl) -> Iterator[None]:
    """The API server is ended, and started again when the block ends; returns when it answers.

    Its file is moved away, so the kubelet does not start it again meanwhile.
    """
    on_node(f"mv {_API_SERVER} {_ASIDE} && kill -s KILL $(pgrep -x kube-apiserver)")
    try:
        yield
    finally:
        on_node(f"mv {_ASIDE} {_API_SERVER}")
        _wait_for_api_server(kubectl)


def kill_api_server(kubectl: Kubectl) -> None:
    """Ends the API server, which the kubelet starts again; returns when it answers."""
    on_node("kill -s KILL $(pgrep -x kube-apiserver)")
    _wait_for_api_server(kubectl)


def _wait_for_api_server(kubectl: Kubectl) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            kubectl.run("get", "--raw", "/readyz", timeout_seconds=5)
            return
        except ProgramFailedError:
            time.sleep(0.5)
    raise ProgramFailedError("the API server did not come back within 120 s")


@contextmanager
def cut_off_from_api_server(pod_ip: str) -> Iterator[None]:
    """A pod whose connections to the API server are broken, and refused, while the block runs."""
    rule = f"INPUT -s {pod_ip} -p tcp --dport 6443 -j REJECT --reject-with tcp-reset"
    on_node(f"iptables -I {rule}")
    try:
        yield
    finally:
        on_node(f"iptables -D {rule}")
