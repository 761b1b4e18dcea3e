"""A namespace of a benchmark's own: fresh when it begins, removed when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from demo.kubectl import Kubectl
from demo.waiting import Deadline, wait_for

GONE = Deadline("the removal of the namespace of an earlier run", 150)


@contextmanager
def fresh_namespace(kubectl: Kubectl, name: str) -> Iterator[Kubectl]:
    """The namespace while the block runs; what an earlier run left in one of that name is removed before."""
    kubectl.run("delete", "namespace", name, "--ignore-not-found", "--wait=false")
    wait_for(GONE, lambda: kubectl.get("namespace", name) is None)
    kubectl.make_namespace(name)
    try:
        yield kubectl.within(name)
    finally:
        kubectl.run("delete", "namespace", name, "--wait=false")
