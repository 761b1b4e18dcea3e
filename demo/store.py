"""The model store: an S3-compatible server in the cluster, and bundles brought there."""

from __future__ import annotations

import base64
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import obstore
import yaml
from obstore.store import S3Store

from demo.kubectl import Kubectl, Manifest
from demo.waiting import STORE_READY, wait_for
from tidegate import Bundle

BUCKET: Final = "models"
SECRET_NAME: Final = "models-store"
_REGION: Final = "us-east-1"
_MANIFESTS: Final = Path(__file__).parent / "manifests"


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the store; new for every store, since nothing secret may lie in a repository."""

    access: str
    secret: str


def start_store(kubectl: Kubectl, image: str) -> Keys:
    """Starts the store in kubectl's namespace, with the Secret that ModelVersions name, and waits for it."""
    keys = _find_keys(kubectl) or Keys(secrets.token_hex(8), secrets.token_hex(16))
    kubectl.apply(_build_secret(keys, kubectl.namespace), *_read_manifests("store.yaml", image))
    wait_for(STORE_READY, lambda: _is_ready(kubectl), last_seen=lambda: kubectl.run("get", "pods"))
    return keys


def _find_keys(kubectl: Kubectl) -> Keys | None:
    """Those of an earlier run: a store that is up goes on with the keys that it was started with."""
    found = kubectl.get("secret", SECRET_NAME)
    if found is None:
        return None
    access, secret = (
        base64.b64decode(found["data"][f"AWS_{key}"]).decode()
        for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    )
    return Keys(access, secret)


@contextmanager
def open_store(kubectl: Kubectl, keys: Keys) -> Iterator[S3Store]:
    """The store's bucket as a client of this machine sees it, made if it is not there."""
    with kubectl.forward("service/store", "s3") as port:
        store = S3Store(
            BUCKET,
            endpoint=f"http://127.0.0.1:{port}",
            access_key_id=keys.access,
            secret_access_key=keys.secret,
            region=_REGION,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )
        _make_bucket(store)
        yield store


def upload(store: S3Store, bundle: Path, *, to: str) -> str:
    """Puts the files of a bundle under a folder of the bucket, and gives the folder's URI."""
    for file in sorted(bundle.iterdir()):
        obstore.put(store, f"{to}/{file.name}", file.read_bytes())
    return f"s3://{BUCKET}/{to}"


def publish(store: S3Store, bundle: Bundle, *, name: str) -> Manifest:
    """Brings a bundle to the store, and gives the ModelVersion that names it and the Secret it is opened with."""
    uri = upload(store, bundle.path, to=f"{bundle.model}/{name}")
    version: Manifest = yaml.safe_load(bundle.model_version(uri=uri, name=name, secret=SECRET_NAME))
    return version


def read_secret(kubectl: Kubectl) -> Manifest:
    """The Secret that opens the store, as it is to be applied in another namespace."""
    found = kubectl.get("secret", SECRET_NAME)
    assert found
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET_NAME},
        "data": found["data"],
    }


def _make_bucket(store: S3Store) -> None:
    # The client knows objects only; S3's CreateBucket is a PUT of the bucket itself, and it can sign one.
    url = obstore.sign(store, "PUT", "", timedelta(minutes=1))
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10).close()
    except urllib.error.HTTPError as error:
        if error.code != 409:  # it is there already
            raise


def _build_secret(keys: Keys, namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET_NAME, "namespace": namespace},
        "stringData": {
            "AWS_ACCESS_KEY_ID": keys.access,
            "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_REGION": _REGION,
            "AWS_ENDPOINT_URL": f"http://store.{namespace}.svc",
        },
    }


def _read_manifests(name: str, image: str) -> list[Manifest]:
    text = (_MANIFESTS / name).read_text().replace("STORE_IMAGE", image)
    return list(yaml.safe_load_all(text))


def _is_ready(kubectl: Kubectl) -> bool:
    """Whether the store that was asked for answers, and none besides.

    Without this, one that is just being replaced would be opened, and close in the middle of an upload.
    """
    deployment = kubectl.get("deployment", "store") or {"metadata": {}}
    status = deployment.get("status", {})
    is_current = status.get("observedGeneration") == deployment["metadata"].get("generation")
    is_alone = len(kubectl.find("pods", "app.kubernetes.io/name=store")) == 1
    return bool(is_current and is_alone and status.get("readyReplicas"))
