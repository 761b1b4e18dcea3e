"""What the repository offers for `kubectl apply` is accepted as it lies there, without a warning."""

import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from cluster.api_server import ADMIN_TOKEN, ApiServer, find_binary
from tests.api.namespace import Namespace

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "manifests/samples").glob("*.yaml"))
BASE = ("namespace", "crds", "tidegate")
COLLECTIONS = {"ValidatingAdmissionPolicy": "validatingadmissionpolicies", "NetworkPolicy": "networkpolicies"}


def read(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def dry_run(client: httpx.Client, manifest):
    """The answer to a server-side apply that stores nothing."""
    api, metadata = manifest["apiVersion"], manifest["metadata"]
    root = f"/api/{api}" if api == "v1" else f"/apis/{api}"
    where = f"{root}/namespaces/{metadata['namespace']}" if "namespace" in metadata else root
    plural = COLLECTIONS.get(manifest["kind"], f"{manifest['kind'].lower()}s")
    return client.patch(
        f"{where}/{plural}/{metadata['name']}",
        params={"fieldManager": "kubectl", "dryRun": "All", "fieldValidation": "Strict", "force": "true"},
        headers={"Content-Type": "application/apply-patch+yaml"},
        json=manifest,
    )


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_accepted(namespace: Namespace, path):
    for manifest in read(path):
        answer = namespace.send(manifest)
        assert answer.is_success, answer.json()["message"]
        assert "Warning" not in answer.headers


@pytest.mark.parametrize("name", BASE)
def test_the_base_is_accepted(admin: httpx.Client, name):
    for manifest in read(ROOT / f"manifests/base/{name}.yaml"):
        answer = dry_run(admin, manifest)
        assert answer.is_success, answer.json()["message"]
        assert "Warning" not in answer.headers


def test_the_base_is_applied_as_its_first_line_says(api_server: ApiServer):
    """`kubectl apply --server-side -k manifests/base`, with the real kubectl."""
    command = [
        find_binary("kubectl"), "apply", "--server-side", "--force-conflicts", "--dry-run=server",
        f"--kustomize={ROOT / 'manifests/base'}", f"--server={api_server.url}", f"--token={ADMIN_TOKEN}",
        f"--certificate-authority={api_server.certificate}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    objects = [manifest for name in BASE for manifest in read(ROOT / f"manifests/base/{name}.yaml")]
    assert done.stdout.count("serverside-applied (server dry run)") == len(objects)
    assert "Warning" not in done.stderr
