"""Own gates: a user's programs in the pod that holds gates, as isolated as everything else there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tidegate import pod
from tidegate.gate_run import CREDENTIALS, DATA_FOLDER, OwnVariable
from tidegate.gates import Gate
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.plan.gate_reads import Read

OWN_CONTAINER: Final = "own-"
"""With its place among the own gates behind it: a gate's name may be as long as a container's."""
# Of each program; what wants more is better off in the pipeline that trains.
_RESOURCES: Final = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "1", "memory": "1Gi"},
}
_SCRATCH_LIMIT: Final = "1Gi"


def find_secrets(own: tuple[Gate, ...]) -> Iterator[Read]:
    """The Secrets that own gates get, and the folder that each may write to."""
    for place, gate in enumerate(own):
        assert gate.job
        secret = gate.job.secret_ref.name if gate.job.secret_ref else ""
        yield Read(f"{OWN_CONTAINER}{place}", f"{DATA_FOLDER}/{gate.name}", secret, scratch=_SCRATCH_LIMIT)


def render_own(
    deployment: ModelDeployment, own: tuple[Gate, ...], security: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A container for each own gate; they run side by side."""
    return [
        _render(deployment, gate, read, security) for gate, read in zip(own, find_secrets(own), strict=True)
    ]


def _render(
    deployment: ModelDeployment, gate: Gate, read: Read, security: Mapping[str, Any]
) -> dict[str, Any]:
    assert gate.job
    values = {
        OwnVariable.GATE: gate.name,
        OwnVariable.MODEL: deployment.metadata.name,
        OwnVariable.PREDICTOR: f"http://127.0.0.1:{pod.PORT}",
        OwnVariable.BUNDLE: pod.BUNDLE_FOLDER,
        OwnVariable.CREDENTIALS: f"{read.folder}/{CREDENTIALS}" if read.secret else "",
    }
    command = {"command": list(gate.job.command)} if gate.job.command else {}
    bundle = {"name": "bundle", "mountPath": pod.BUNDLE_FOLDER, "readOnly": True}
    return command | {
        "name": read.name,
        "image": gate.job.image,
        "env": [{"name": name.value, "value": value} for name, value in values.items() if value],
        "resources": _RESOURCES,
        "securityContext": security,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [bundle, *read.mounts],
    }
