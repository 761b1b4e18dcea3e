"""docs/install.md as it stands there, with the real helm and kubectl."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cluster.api_server import find_binary
from cluster.cache import REPOSITORY
from tests.api.helm import SYSTEM

PAGE = (REPOSITORY / "docs/install.md").read_text()


def find_block(language: str, beginning: str) -> str:
    """The block of the page that has this in it."""
    found = [
        block for block in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if beginning in block
    ]
    assert len(found) == 1, beginning
    return found[0]


@pytest.fixture
def run(api_server, tmp_path):
    """Runs commands of the page from the repository's root, as an administrator."""
    tools = [find_binary("kubectl").parent, Path(sys.executable).parent]
    environment = {
        **os.environ,
        "KUBECONFIG": str(api_server.write_kubeconfig(tmp_path / "kubeconfig")),
        "PATH": os.pathsep.join([*map(str, tools), os.environ["PATH"]]),
    }

    def shell(script: str, folder: Path = REPOSITORY) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return shell


def test_helm_installs_both_charts_with_the_values_of_the_page(run, admin, tmp_path):
    (tmp_path / "values.yaml").write_text(find_block("yaml", "# values.yaml"))
    run(find_block("sh", "helm upgrade").replace("values.yaml", str(tmp_path / "values.yaml")))
    operator = admin.get(f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/tidegate-operator").json()
    pod = operator["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "registry.example.com/tidegate/operator:5d0faab2f099"
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    variables = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert (variables["TIDEGATE_ROUTER_REPLICAS"], variables["TIDEGATE_IMAGE_PULL_SECRETS"]) == (
        "2",
        "registry",
    )


def test_an_overlay_names_the_images(run, tmp_path):
    shutil.copytree(REPOSITORY / "manifests/base", tmp_path / "tidegate/manifests/base")
    (tmp_path / "kustomization.yaml").write_text(find_block("yaml", "# kustomization.yaml"))
    objects = list(yaml.safe_load_all(run("kubectl kustomize .", tmp_path)))
    (operator,) = [one for one in objects if one["kind"] == "Deployment"]
    (container,) = operator["spec"]["template"]["spec"]["containers"]
    images = [one["value"] for one in container["env"] if one["name"].endswith("_IMAGE")]
    assert sorted([container["image"], *images]) == [
        "registry.example.com/tidegate/operator:5d0faab2f099",
        "registry.example.com/tidegate/predictor:a11c2ee0d1b7",
        "registry.example.com/tidegate/router:0c7e9a51f2d4",
    ]


def test_argo_cd_is_told_what_healthy_is_and_keeps_what_it_knew(run):
    run("kubectl create namespace argocd; kubectl -n argocd create configmap argocd-cm --from-literal=url=u")
    run(find_block("sh", "argocd-cm"))
    data = yaml.safe_load(run("kubectl -n argocd get configmap argocd-cm -o yaml"))["data"]
    assert data == {"url": "u", **read_scripts()}


def test_the_component_for_kustomize_does_the_same(run, tmp_path):
    shutil.copytree(REPOSITORY / "manifests/argocd", tmp_path / "component")
    (tmp_path / "cm.yaml").write_text(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm}, data: {url: u}}"
    )
    (tmp_path / "kustomization.yaml").write_text("{resources: [cm.yaml], components: [component]}")
    (told,) = yaml.safe_load_all(run("kubectl kustomize .", tmp_path))
    assert told["data"] == {"url": "u", **read_scripts()}


def read_scripts() -> dict[str, str]:
    """The scripts, as argocd-cm names them."""
    folders = (REPOSITORY / "manifests/argocd/tidegate.io").iterdir()
    return {
        f"resource.customizations.health.tidegate.io_{folder.name}": (folder / "health.lua").read_text()
        for folder in folders
    }


def test_a_namespace_for_models_is_made(run):
    run(find_block("sh", "kubectl create namespace shop"))
    assert "restricted" in run("kubectl get namespace shop -o yaml")
