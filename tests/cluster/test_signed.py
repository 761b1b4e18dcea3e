"""Under a release policy, what bears no signature of those who may release is never loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from demo.adult import read_census
from demo.ground import Ground, install_operator
from demo.kubectl import Manifest
from demo.models import logistic
from demo.rollout_view import RolloutView
from demo.store import publish
from demo.waiting import Deadline
from tests.cluster.library import MODEL
from tests.cluster.place import FIRST_SERVES, Place
from tests.unit.sdk.keys import make_key

import tidegate
from tidegate.cli import main
from tidegate.model_version import read_bundle

REFUSED = Deadline("the refusal to load it", 60)


@pytest.fixture
def keys(tmp_path: Path, ground: Ground, place: Place) -> Iterator[Path]:
    """The folder of the team's key and a stranger's, with a policy that wants the team's in this namespace."""
    for name in ("team", "stranger"):
        make_key(tmp_path, name)
    team = {"ml-team": (tmp_path / "team.pub").read_text()}
    install_operator(ground, release_policies=[{"namespaces": [place.kubectl.namespace], "keys": team}])
    yield tmp_path
    install_operator(ground)


def release(place: Place, name: str, key: Path | None = None) -> Manifest:
    """Packages a version, signs it, and registers it."""
    model = logistic(read_census())
    with tempfile.TemporaryDirectory() as folder, place.library.bucket() as store:
        path = Path(folder) / name
        tidegate.package(model.pipeline, model.sample, name=MODEL, folder=path)
        if key:
            signed = CliRunner().invoke(main, ["sign", str(path), "--key", str(key)])
            assert signed.exit_code == 0, signed.output
        version = publish(store, read_bundle(path), name=name)
    place.kubectl.apply(version)
    return version


def ask_in_vain(place: Place, version: str) -> RolloutView:
    place.deploy(version)
    return place.until(REFUSED, lambda view: view.phase == "Blocked" and version in view.message)


def test_only_what_the_team_signed_is_loaded(place: Place, keys: Path) -> None:
    release(place, "signed", keys / "team.pem")
    place.deploy("signed")
    place.until(FIRST_SERVES, lambda view: view.ready and view.stable == "signed")
    release(place, "unsigned")
    release(place, "strange", keys / "stranger.pem")
    wanted = f"a release to namespace {place.kubectl.namespace} needs a signature by key ml-team"
    for version in ("unsigned", "strange"):
        view = ask_in_vain(place, version)
        assert wanted in view.message
        assert (view.stable, view.candidate) == ("signed", "")
    assert len(place.kubectl.find("deployments", "tidegate.io/deployment=income")) == 1
    assert place.conditions()["Available"] == "True"
