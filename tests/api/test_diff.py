"""`tidegate diff` asks a real API server through a real kubectl."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from cluster.api_server import find_binary
from tests.api.namespace import Namespace, model_version

from tidegate.cli import main


@pytest.fixture
def kubectl(api_server, tmp_path, monkeypatch):
    """The user's kubectl, bound to the API server."""
    monkeypatch.setenv("KUBECONFIG", str(api_server.write_kubeconfig(tmp_path / "kubeconfig")))
    monkeypatch.setenv("PATH", f"{Path(find_binary('kubectl')).parent}{os.pathsep}{os.environ['PATH']}")


def diff(namespace: Namespace, *names: str):
    return CliRunner().invoke(main, ["diff", *names, f"--namespace={namespace.name}"])


def test_two_model_versions_tell_what_changed(kubectl, namespace):
    for name, auc, digest in (("fraud-7", "0.91", "ab"), ("fraud-8", "0.93", "cd")):
        told = {"metrics": [{"name": "auc", "value": auc}], "git": {"repository": "r", "commit": digest * 20}}
        namespace.apply(model_version(name, digest="sha256:" + digest * 32, provenance=told))
    result = diff(namespace, "fraud-7", "fraud-8")
    assert result.exit_code == 0, result.output
    assert f"\ncode\n  commit: {'ab' * 20} → {'cd' * 20}\n\nmetrics\n  auc: 0.91 → 0.93\n" in result.stdout


def test_a_model_version_that_is_not_there_is_told_in_the_api_servers_words(kubectl, namespace):
    result = diff(namespace, "fraud-7", "fraud-8")
    assert result.exit_code == 1
    assert 'modelversions.tidegate.io "fraud-7" not found' in result.stderr
