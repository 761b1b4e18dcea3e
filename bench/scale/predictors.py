"""What a predictor would answer: which bundle it has loaded, and what it has counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.scale.api import Object

from tidegate import pod
from tidegate.bundle import File, Manifest
from tidegate.counts import LATENCY_BOUNDS_MS
from tidegate.loaded import LoadedBundle, tell_bundle
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor
from tidegate_operator.plan.identity import REVISION_LABEL

NUMBERS = 20
CATEGORIES = tuple(f"category-{number}" for number in range(10))
# A model of thirty features and five megabytes.
MANIFEST = Manifest("model", {"model.onnx": File("0" * 64, 5 << 20)}, "bench")
SIGNATURE = Signature(
    task=Task.BINARY,
    features=(
        *(
            Feature(f"number_{place}", FeatureKind.NUMBER, tensor="numbers", column=place, nullable=True)
            for place in range(NUMBERS)
        ),
        *(
            Feature(
                f"category_{place}",
                FeatureKind.CATEGORY,
                tensor="categories",
                column=place,
                nullable=False,
                categories=CATEGORIES,
            )
            for place in range(10)
        ),
    ),
    inputs=(Tensor("numbers", "FP32", NUMBERS), Tensor("categories", "BYTES", 10)),
    outputs=(Tensor("label", "INT64", 0), Tensor("probabilities", "FP32", 2)),
    classes=("no", "yes"),
)


@dataclass(frozen=True, slots=True)
class Predictor:
    """A predictor pod."""

    address: str
    revision: str
    digest: str

    def tell_bundle(self) -> LoadedBundle:
        """`/internal/bundle`."""
        return tell_bundle(MANIFEST, SIGNATURE, digest=self.digest)

    def build_snapshot(self) -> Object:
        """`/internal/snapshot`."""
        return {
            "revision": self.revision,
            "digest": self.digest,
            "process": self.address,
            "requests": {},
            "rows": 0,
            "not_finite": 0,
            "latency": [0] * (len(LATENCY_BOUNDS_MS) + 1),
            "features": {},
            "prediction": None,
        }


def parse_predictor(address: str, body: dict[str, Any]) -> Predictor | None:
    """Gives the predictor that a pod is; none if it is no predictor."""
    revision = body["metadata"].get("labels", {}).get(REVISION_LABEL)
    variables = [one for container in body["spec"]["containers"] for one in container.get("env", ())]
    digests = [one["value"] for one in variables if one["name"] == pod.Variable.DIGEST]
    return Predictor(address, revision, digests[0]) if revision and digests else None
