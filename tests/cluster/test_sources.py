"""A bundle is served from a volume claim and from a plain web server as well as from S3."""

from __future__ import annotations

import pytest
from demo.ground import Ground
from demo.kubectl import Kubectl, Manifest
from demo.waiting import Deadline, wait_for
from tests.cluster.library import Library
from tests.cluster.place import FIRST_SERVES, Place

FILLED = Deadline("the share with the bundle in it", 60)
ADMIN = "tidegate-tests-share"
SHARE = "/var/lib/tidegate-tests"
# Brings the bundle into the share by the predictor's own fetch, then shows the share as a web server.
FILL = f"""
import asyncio, http.server, os, pathlib
from tidegate_serving.fetch import fetch_bundle
from tidegate_serving.settings import Settings

asyncio.run(fetch_bundle(Settings(model="income", revision="-", source=os.environ["SOURCE"],
                                  digest=os.environ["DIGEST"], bundle_folder=pathlib.Path("{SHARE}/income/1"))))
os.chdir("{SHARE}")
http.server.ThreadingHTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture(scope="module")
def share(ground: Ground, library: Library) -> Kubectl:
    """A share of models, as a cluster's admin keeps one: filled by root, offered to others for reading."""
    kubectl = ground.kubectl.within(ADMIN)
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ADMIN}})
    kubectl.run("delete", "pod", "web", "--ignore-not-found", "--grace-period=1")
    image = ground.images["TIDEGATE_PREDICTOR_IMAGE"]
    kubectl.apply(library.secret, build_service(), build_filler(library.versions["income-1"], image))
    wait_for(FILLED, lambda: is_ready(kubectl), last_seen=lambda: kubectl.run("logs", "pod/web", "--tail=5"))
    return kubectl


def test_bundle_is_served_from_a_claim(place: Place, share: Kubectl) -> None:
    """The digest is that of the bundle in S3; the claim is mounted for reading, and only into these pods."""
    claim_share(place, share)
    place.register("income-1", source={"uri": "pvc://models/income/1"})
    answers_by_itself(place)


def test_bundle_is_served_from_a_web_server(place: Place, share: Kubectl) -> None:
    """No Secret, no keys: any server that shows a folder will do, since the digest tells what must come."""
    place.register("income-1", source={"uri": f"http://web.{share.namespace}:8000/income/1"})
    answers_by_itself(place)


def answers_by_itself(place: Place) -> None:
    place.deploy("income-1")
    view = place.until(FIRST_SERVES, lambda view: view.ready)
    with place.traffic() as load:
        pass
    assert set(load.book.answered) == {view.revisions["income-1"]}
    assert load.book.failures() == 0, list(load.book.tell_failures())


def claim_share(place: Place, share: Kubectl) -> None:
    """The share as a volume that only this namespace's claim can bind."""
    volume = f"{share.namespace}-{place.kubectl.namespace}"
    share.run("delete", "persistentvolume", volume, "--ignore-not-found")
    common = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    share.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {**common, "capacity": {"storage": "64Mi"}, "hostPath": {"path": SHARE}},
        }
    )
    place.kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "models"},
            "spec": {**common, "volumeName": volume, "resources": {"requests": {"storage": "64Mi"}}},
        }
    )


def is_ready(kubectl: Kubectl) -> bool:
    pod = kubectl.get("pod", "web") or {}
    conditions = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True"


def build_service() -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8000}]},
    }


def build_filler(version: Manifest, image: str) -> Manifest:
    source = version["spec"]["source"]
    environment = {"SOURCE": source["uri"], "DIGEST": version["spec"]["digest"]}
    container = {
        "name": "web",
        "image": image,
        "command": ["python3", "-c", FILL],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [
            {"name": "share", "mountPath": SHARE},
            {"name": "keys", "mountPath": "/var/run/secrets/tidegate.io/source"},
        ],
    }
    volumes = [
        {"name": "share", "hostPath": {"path": SHARE, "type": "DirectoryOrCreate"}},
        {"name": "keys", "secret": {"secretName": source["secretRef"]["name"]}},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1},
    }
