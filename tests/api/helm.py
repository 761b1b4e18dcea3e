"""Helm against the API server of this run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from cluster.api_server import ADMIN_TOKEN, ApiServer

CHARTS = Path(__file__).parents[2] / "charts"
SYSTEM = "tidegate-system"


def helm(server: ApiServer, *arguments: str, namespace: str = SYSTEM, token: str = ADMIN_TOKEN) -> str:
    command = [
        str(Path(sys.executable).parent / "helm"),
        *arguments,
        f"--namespace={namespace}",
        f"--kube-apiserver={server.url}",
        f"--kube-ca-file={server.certificate}",
        f"--kube-token={token}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def install(server: ApiServer, chart: str, *values: str) -> None:
    helm(server, "upgrade", "--install", "--create-namespace", chart, str(CHARTS / chart), *values)


def render(*values: str, namespace: str = SYSTEM) -> list[dict]:
    """The objects of the operator's chart, without a server."""
    command = [
        str(Path(sys.executable).parent / "helm"),
        "template",
        "tidegate",
        CHARTS / "tidegate",
        *values,
    ]
    text = subprocess.run(
        [*command, f"--namespace={namespace}"], check=True, capture_output=True, text=True
    ).stdout
    return [document for document in yaml.safe_load_all(text) if document]
