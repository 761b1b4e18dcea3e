"""A namespace in which a ModelDeployment serves versions, as watches tell it, and predictors that answer."""

from __future__ import annotations

from typing import Any

from tests.unit.observe.pods import Pod

from tidegate.loaded import BUNDLE_PATH
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.observe.store import Key, Kind, Store
from tidegate_operator.plan.gate_job import PREDICTOR_CONTAINER
from tidegate_operator.plan.identity import (
    DEPLOYMENT_LABEL,
    GATES_LABEL,
    PROMOTED_ANNOTATION,
    REVISION_LABEL,
)
from tidegate_operator.plan.release_policy import NotWanted, Vouching

DIGEST = "sha256:" + "1" * 64
SPEC = {"model": "fraud", "source": {"uri": "s3://models/v1"}, "digest": DIGEST}
V1 = Key("shop", "v1", Kind.MODEL_VERSION)
TOLD = {
    "digest": DIGEST,
    "format": "tidegate.io/bundle/v1alpha1",
    "size": 5_000,
    "signature": {
        "task": "regression",
        "inputs": [
            {"name": "amount", "kind": "number", "datatype": "FP64", "shape": [-1], "nullable": True},
            {
                "name": "country",
                "kind": "category",
                "datatype": "BYTES",
                "shape": [-1],
                "nullable": False,
                "categories": ["DE", "FR"],
                "categoryCount": 2,
            },
        ],
        "inputCount": 2,
        "outputs": [{"name": "prediction", "datatype": "FP32", "shape": [-1]}],
        "outputCount": 1,
    },
}


class BundlePredictor(Pod):
    """A predictor that tells what it has loaded."""

    def __init__(self, name: str, told: Any = TOLD) -> None:
        super().__init__(name)
        self.told = told

    def tell(self, request: Any) -> Any:
        """Nothing else is asked of it."""
        assert request.path == BUNDLE_PATH
        return self.told


def role(revision: str, version: str = "v1") -> dict[str, str]:
    """A revision as a status names it."""
    return {"revision": revision, "modelVersion": version, "digest": DIGEST, "since": ""}


class Shop:
    """The namespace shop."""

    def __init__(self) -> None:
        self.store = Store()
        self.number = 0

    def put(self, kind: Kind, name: str, *, labels: dict[str, str] | None = None, **parts: Any) -> None:
        """An object is there, as it is now."""
        self.store.put(kind, self.build(kind, name, labels=labels, **parts))

    def build(
        self, kind: Kind, name: str, *, labels: dict[str, str] | None = None, **parts: Any
    ) -> dict[str, Any]:
        """An object as a watch tells it."""
        self.number += 1
        metadata = {"name": name, "namespace": "shop", "uid": f"uid-of-{name}", "labels": labels or {}}
        metadata |= {"resourceVersion": str(self.number), "generation": 1} | parts.pop("metadata", {})
        api = "apps/v1" if kind is Kind.CONTROLLER_REVISION else "tidegate.io/v1alpha1"
        return {"apiVersion": api, "kind": kind.value, "metadata": metadata, **parts}

    def put_version(self, **parts: Any) -> None:
        """The ModelVersion v1."""
        self.put(Kind.MODEL_VERSION, "v1", spec=SPEC, **parts)

    def put_deployment(self, name: str = "fraud", *, wants: str = "v2", **status: Any) -> None:
        """A ModelDeployment, with the places in its status."""
        metadata = status.pop("metadata", {})
        self.put(Kind.MODEL_DEPLOYMENT, name, metadata=metadata, spec={"modelVersion": wants}, status=status)

    def put_record(self, revision: str = "fraud-r1", version: str = "v1", *, promoted: bool = False) -> None:
        """The record of a revision of fraud."""
        annotations = {PROMOTED_ANNOTATION: "true"} if promoted else {}
        metadata = {"ownerReferences": [{"uid": "uid-of-fraud"}], "annotations": annotations}
        data = {"modelVersion": version, "digest": DIGEST}
        labels = {DEPLOYMENT_LABEL: "fraud"}
        self.put(Kind.CONTROLLER_REVISION, revision, labels=labels, metadata=metadata, data=data)

    def put_pod(
        self, name: str = "p", *, revision: str = "fraud-r1", address: str = "", **container: Any
    ) -> None:
        """A pod of a revision of fraud; `ready`, or how its container ended."""
        ready = container.pop("ready", not container)
        status: dict[str, Any] = {
            "podIP": address,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [container],
        }
        self.put(Kind.POD, name, labels={DEPLOYMENT_LABEL: "fraud", REVISION_LABEL: revision}, status=status)

    def put_gates_pod(self, *, run: str = "fraud-g1", **container: Any) -> None:
        """A pod that holds the gates of fraud, whose predictor is like this."""
        status = {
            "podIP": "127.0.0.1:1",
            "initContainerStatuses": [{"name": PREDICTOR_CONTAINER, **container}],
        }
        self.put(Kind.POD, run, labels={DEPLOYMENT_LABEL: "fraud", GATES_LABEL: run}, status=status)


def ended(reason: str, message: str) -> dict[str, Any]:
    """How a container ended that left this last word."""
    word = f'{{"reason":"{reason}","message":"{message}"}}'
    return {"state": {"terminated": {"exitCode": 1, "message": word}}}


def want_nothing(_: ModelVersion) -> Vouching:
    """No release policy names the namespace."""
    return NotWanted()
