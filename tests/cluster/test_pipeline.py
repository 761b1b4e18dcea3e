"""From a commit of the training code to the version that serves, and nothing in between is done by hand."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml
from demo.store import BUCKET, SECRET_NAME
from demo.waiting import Deadline
from tests.cluster.place import Place
from tests.unit.pipelines.chain import MODEL, Chain, Store, build_chain, git, read_version, read_wanted

SERVES = Deadline("the released version's service", 90)


def find_keys(place: Place, port: int) -> dict[str, str]:
    """What a pipeline outside of the cluster opens the store with."""
    keys = {name: base64.b64decode(value).decode() for name, value in place.library.secret["data"].items()}
    return keys | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


def synchronise(place: Place, tree: Path) -> str:
    """What Flux and Argo CD do: apply what stands in git; gives the version that is asked for."""
    manifests = [yaml.safe_load(path.read_text()) for path in sorted((tree / MODEL).glob("*.yaml"))]
    place.kubectl.apply(*manifests)
    return read_wanted(tree)


def release(place: Place, chain: Chain) -> str:
    version = synchronise(place, chain.release())
    place.until(SERVES, lambda view: view.ready and view.stable == version, name=MODEL)
    return version


def test_a_pushed_commit_ends_as_the_version_that_serves(place: Place, tmp_path: Path) -> None:
    with place.library.kubectl.forward("service/store", "s3") as port:
        store = Store(f"s3://{BUCKET}", find_keys(place, port), secret=SECRET_NAME)
        chain = build_chain(tmp_path, store)
        first = release(place, chain)
        commit = chain.change("train.py", "STRENGTH = 1.0", "STRENGTH = 0.5")
        second = release(place, chain)
    assert first != second
    version = read_version(chain.checkout())
    assert (
        version["spec"]["provenance"]["git"]["commit"] == commit == git(chain.training, "rev-parse", "HEAD")
    )
    assert version["spec"]["signature"]
    assert place.view(MODEL).stable == second
