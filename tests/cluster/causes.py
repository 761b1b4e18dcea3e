"""Causes: what can keep a version from serving, how a story brings each about, and how it mends it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import obstore
from cluster.kind import NODE
from demo.kubectl import Manifest
from demo.waiting import Deadline, wait_for
from tests.cluster.library import MODEL
from tests.cluster.place import Place

GOOD = "income-2"
TINY = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
LATE_IMAGE = "nowhere.invalid/predictor:later"
UP = Deadline("a pod's address", 60)
RECORDED = Deadline("the record of a revision", 30)
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
POOL = "tests.tidegate.io/pool"
NEVER_ANSWERS = (
    "import socket; s = socket.create_server(('', 7070)); held = []\nwhile True: held.append(s.accept())"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, by the name of its ModelDeployment and of the version that it concerns."""

    spoil: Callable[[Place, str], None]
    mend: Callable[[Place, str], None]


def enter(place: Place, name: str, *, of: str = GOOD, **spec: Any) -> None:
    """A ModelVersion of that name, with fields of the good one replaced."""
    version = place.library.versions[of]
    place.kubectl.apply({**version, "metadata": {"name": name}, "spec": {**version["spec"], **spec}})


def enter_with_secret(place: Place, name: str, secret: str) -> None:
    source = place.library.versions[GOOD]["spec"]["source"]
    enter(place, name, source={**source, "secretRef": {"name": secret}})


def put_keys(place: Place, secret: str, **changed: str) -> None:
    """The store's keys as a Secret of that name, some of them changed."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in changed.items()}
    data = {**place.library.secret["data"], **encoded}
    place.kubectl.apply({**place.library.secret, "metadata": {"name": secret}, "data": data})


def deny(place: Place, name: str) -> None:
    put_keys(place, name, AWS_SECRET_ACCESS_KEY="not the one")
    enter_with_secret(place, name, name)


def leave_out_secret(place: Place, name: str) -> None:
    enter_with_secret(place, name, name)


def mend_keys(place: Place, name: str) -> None:
    put_keys(place, name)


def hang(place: Place, name: str) -> None:
    """A door that leads to a server which accepts and never answers; a Service of the model's own name is taken."""
    image = place.library.images["TIDEGATE_PREDICTOR_IMAGE"]
    place.kubectl.apply(build_pod(name, image, NEVER_ANSWERS), build_door(door_of(name)))
    lead(place, door_of(name), to=address_of(place, name))
    put_keys(place, name, AWS_ENDPOINT_URL=f"http://{door_of(name)}.{place.kubectl.namespace}.svc")
    enter_with_secret(place, name, name)


def answer(place: Place, name: str) -> None:
    """The same door leads to the store."""
    (slice_,) = place.library.kubectl.find("endpointslices", "kubernetes.io/service-name=store")
    lead(
        place,
        door_of(name),
        to=next(e["addresses"][0] for e in slice_["endpoints"] if e["conditions"]["ready"]),
    )


def door_of(name: str) -> str:
    return f"{name}-door"


def build_pod(name: str, image: str, program: str, **requests: str) -> Manifest:
    container = {
        "name": "main",
        "image": image,
        "command": ["python3", "-c", program],
        "resources": {"requests": requests},
        "securityContext": RESTRICTED,
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def build_door(name: str) -> Manifest:
    ports = [{"name": "s3", "port": 80, "targetPort": 7070}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": ports}}


def lead(place: Place, name: str, *, to: str) -> None:
    place.kubectl.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": "s3", "port": 7070}],
            "endpoints": [{"addresses": [to], "conditions": {"ready": True}}],
        }
    )


def address_of(place: Place, pod: str) -> str:
    def look() -> str:
        status = (place.kubectl.get("pod", pod) or {}).get("status", {})
        return status.get("podIP", "") if status.get("phase") == "Running" else ""

    return wait_for(UP, look, last_seen=lambda: place.kubectl.run("get", "pods"))


def copy_bundle(place: Place, name: str) -> None:
    """The good bundle in a folder of its own, and the version that names it."""
    with place.library.bucket() as store:
        for entry in obstore.list(store, f"{MODEL}/{GOOD}/").collect():
            obstore.copy(store, entry["path"], entry["path"].replace(GOOD, name))
    source = place.library.versions[GOOD]["spec"]["source"]
    enter(place, name, source={**source, "uri": uri_of(name)})


def uri_of(name: str) -> str:
    return f"s3://models/{MODEL}/{name}"


def change_file(place: Place, name: str) -> None:
    copy_bundle(place, name)
    with place.library.bucket() as store:
        path = f"{MODEL}/{name}/baseline.json"
        content = bytes(obstore.get(store, path).bytes())
        obstore.put(store, path, content[:-1] + b" ")


def take_file(place: Place, name: str) -> None:
    copy_bundle(place, name)
    with place.library.bucket() as store:
        obstore.delete(store, f"{MODEL}/{name}/golden.json")


def bring_file(place: Place, name: str) -> None:
    with place.library.bucket() as store:
        obstore.copy(store, f"{MODEL}/{GOOD}/golden.json", f"{MODEL}/{name}/golden.json")


def add_file(place: Place, name: str) -> None:
    copy_bundle(place, name)
    with place.library.bucket() as store:
        obstore.put(store, f"{MODEL}/{name}/model.onnx.data", b"nobody packaged this")


def fill_node(place: Place, name: str) -> None:
    """A pod that asks for more than half of the node, as the candidate does."""
    image = place.library.images["TIDEGATE_PREDICTOR_IMAGE"]
    half = f"{more_than_half(place)}Ki"
    place.kubectl.apply(build_pod(name, image, "import time; time.sleep(3600)", memory=half))
    address_of(place, name)
    enter(place, name)


def more_than_half(place: Place) -> int:
    (node,) = place.kubectl.find("nodes")
    return int(node["status"]["allocatable"]["memory"].removesuffix("Ki")) * 55 // 100


def empty_node(place: Place, name: str) -> None:
    place.kubectl.run("delete", "pod", name, "--wait=false")


def take_label(place: Place, name: str) -> None:
    """No node has it: an earlier run may have left it there."""
    label_node(place, f"{POOL}-")
    enter(place, name)


def give_label(place: Place, name: str) -> None:
    label_node(place, f"{POOL}={name}")


def label_node(place: Place, label: str) -> None:
    (node,) = place.kubectl.find("nodes")
    place.kubectl.run("label", "node", node["metadata"]["name"], label, "--overwrite")


def lose_image(place: Place, name: str) -> None:
    """A revision as its record has it, with an image that no registry has any more."""
    on_node("images", "rm", LATE_IMAGE, check=False)
    enter(place, name)
    deploy(place, name, name)
    revision = wait_for(RECORDED, lambda: place.view(name).revisions.get(name, ""))
    record = wait_for(RECORDED, lambda: place.kubectl.get("controllerrevision", revision))
    deploy(place, name, "income-1")
    wait_for(RECORDED, lambda: place.view(name).candidate == "")
    (container,) = record["data"]["deployment"]["spec"]["template"]["spec"]["containers"]
    container["image"] = LATE_IMAGE
    kept = {key: record["metadata"][key] for key in ("name", "labels", "ownerReferences")}
    place.kubectl.run("delete", "controllerrevision", revision)
    place.kubectl.run("create", "--filename=-", stdin=json.dumps({**record, "metadata": kept}))


def bring_image(place: Place, name: str) -> None:
    image = place.library.images["TIDEGATE_PREDICTOR_IMAGE"]
    on_node("images", "tag", f"docker.io/{image}", LATE_IMAGE)


def on_node(*arguments: str, check: bool = True) -> None:
    command = ["docker", "exec", NODE, "ctr", "--namespace=k8s.io", *arguments]
    subprocess.run(command, check=check, capture_output=True)


def enter_other_model(place: Place, name: str) -> None:
    enter(place, name, model="churn")


def name_another(place: Place, name: str) -> None:
    enter(place, GOOD)
    deploy(place, name, GOOD)


def do_nothing(place: Place, name: str) -> None:
    """What is missing is missing already, and what is wrong for good is not mended."""


def enter_version(place: Place, name: str) -> None:
    enter(place, name)


def deploy(place: Place, name: str, version: str, **serving: Any) -> None:
    place.deploy(version, name=name, serving={"resources": TINY, "startup": {"timeout": "20s"}} | serving)
