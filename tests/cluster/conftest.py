"""The cluster suite: real pods, real routers, real requests, on the cluster that this repository made or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cluster import cache
from demo.ground import SYSTEM_NAMESPACE, Ground, NotOurClusterError, hold_ground, install_operator
from demo.kubectl import Kubectl, ProgramFailedError
from tests.cluster.library import Library, open_library
from tests.cluster.place import Place

FAILED = pytest.StashKey[bool]()
WHAT_IS_KEPT = (
    ("get", "modelversions,modeldeployments", "--output=yaml"),
    ("get", "all", "--output=wide"),
    ("get", "events", "--sort-by=.lastTimestamp"),
    ("logs", "--selector=app.kubernetes.io/part-of=tidegate", "--prefix", "--tail=200", "--all-containers"),
)


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    """The cluster with our mark and the operator in it; without the mark no story is told."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(hold_ground())
        except NotOurClusterError as error:
            pytest.fail(str(error), pytrace=False)
        install_operator(found)
        yield found


@pytest.fixture(scope="session")
def library(ground: Ground) -> Library:
    """The model store and all bundles, made once."""
    return open_library(ground)


@pytest.fixture
def place(request: pytest.FixtureRequest, ground: Ground, library: Library) -> Iterator[Place]:
    """A fresh namespace with the store's Secret and all ModelVersions; what was in it is kept on failure."""
    yield from make_place(request.node, ground, library)


@pytest.fixture(scope="module")
def shared_place(request: pytest.FixtureRequest, ground: Ground, library: Library) -> Iterator[Place]:
    """One such namespace for all stories of a module, where they are long and can go on beside one another."""
    yield from make_place(request.node, ground, library)


def make_place(node: pytest.Item | pytest.Module, ground: Ground, library: Library) -> Iterator[Place]:
    name = node.name.removesuffix(".py").rpartition("/")[2].removeprefix("test_")
    name = re.sub(r"[^a-z0-9]+", "-", name.lower())[:50].strip("-")
    kubectl = ground.kubectl.within(name)
    ground.kubectl.run(
        "delete", "namespace", name, "--ignore-not-found", "--timeout=120s", timeout_seconds=130
    )
    ground.kubectl.make_namespace(name)
    kubectl.apply(library.secret)
    yield Place(kubectl, library)
    if node.stash.get(FAILED, False):
        reporter = node.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"\nWhat was in namespace {name}: {_keep(kubectl, name)}")
    # Not waited for: predictors drain for a while, and the next story has a namespace of its own.
    ground.kubectl.run("delete", "namespace", name, "--wait=false")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Lets the fixtures know how their stories ended."""
    report = yield
    for node in (item, item.parent):
        if node is not None:
            node.stash[FAILED] = node.stash.get(FAILED, False) or report.failed
    return report


def _keep(kubectl: Kubectl, name: str) -> Path:
    words = [_tell(kubectl, *arguments) for arguments in WHAT_IS_KEPT]
    words.append(_tell(kubectl.within(SYSTEM_NAMESPACE), *WHAT_IS_KEPT[-1]))
    folder = cache.LOGS / "stories"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{name}.txt"
    kept.write_text("\n".join(words))
    return kept


def _tell(kubectl: Kubectl, *arguments: str) -> str:
    try:
        return f"$ kubectl {' '.join(arguments)}\n{kubectl.run(*arguments)}"
    except ProgramFailedError as error:
        return str(error)
