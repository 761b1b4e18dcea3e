"""The GateReport of a run that has ended: all that its gates found, as an object of its own."""

from __future__ import annotations

from msgspec import to_builtins

from tidegate.gate_report import worst
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.resource import API_VERSION
from tidegate_operator.api.status import GatesStatus
from tidegate_operator.plan.facts import GateRun, Manifest, Revision
from tidegate_operator.plan.gating import conclude_run, say_results
from tidegate_operator.plan.identity import label_gates, owned_by


def build_gate_report(
    deployment: ModelDeployment, candidate: Revision, told: GatesStatus, run: GateRun
) -> Manifest | None:
    """The report; none while the run goes on. The same run gives the same report, however often it is looked at."""
    results = conclude_run(run, deployment.spec.gates)
    if results is None or told.verdict is None:
        return None
    return {
        "apiVersion": API_VERSION,
        "kind": "GateReport",
        "metadata": {
            "name": run.name,
            "namespace": deployment.metadata.namespace,
            "labels": label_gates(deployment, run.name),
            "ownerReferences": owned_by(deployment),
        },
        "spec": {
            "modelDeployment": deployment.metadata.name,
            "modelVersion": candidate.model_version,
            "revision": candidate.name,
            "digest": candidate.digest,
            **({"stable": told.stable} if told.stable else {}),
            "verdict": str(worst(result.verdict for result in results)),
            "message": say_results(told),
            "at": run.ended_at,
            "results": [to_builtins(result) for result in results],
        },
    }
