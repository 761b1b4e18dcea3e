"""Writes the CustomResourceDefinitions from the models: `python -m tidegate_operator.api.crd [--check]`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tidegate_operator.api.gate_report import GateReport
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.resource import GROUP, VERSION, Resource
from tidegate_operator.api.schema import build_structural_schema

CRD_FOLDER = "crds"
CHART_FOLDER = "charts/tidegate-crds/templates"
HEADER = "# Generated from operator/tidegate_operator/api by `python -m tidegate_operator.api.crd`; change it there.\n"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; priority 1 shows only with `-o wide`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """What a CRD says besides its schema."""

    resource: type[Resource]
    plural: str
    short: str
    columns: tuple[Column, ...]
    subresources: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Name of the CRD."""
        return f"{self.plural}.{GROUP}"


AGE = Column("Age", ".metadata.creationTimestamp", "date")
KINDS = (
    Kind(
        ModelVersion,
        "modelversions",
        "mv",
        (
            Column("Model", ".spec.model"),
            Column("Digest", ".spec.digest"),
            Column("Verified", '.status.conditions[?(@.type=="Verified")].status'),
            Column("Used by", ".status.users", "integer"),
            AGE,
            Column("Signed", '.status.conditions[?(@.type=="Signed")].status', priority=1),
            Column("Source", ".spec.source.uri", priority=1),
        ),
        {"status": {}},
    ),
    Kind(
        ModelDeployment,
        "modeldeployments",
        "md",
        (
            Column("Version", ".spec.modelVersion"),
            Column("Phase", ".status.phase"),
            Column("Stable", ".status.stable.modelVersion"),
            Column("Candidate", ".status.candidate.modelVersion"),
            Column("Weight", ".status.traffic.desired.candidateWeight", "integer"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            AGE,
            Column("Observed", ".status.traffic.observed.candidatePercent", priority=1),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
        ),
        {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.serving.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
    ),
    Kind(
        GateReport,
        "gatereports",
        "gr",
        (
            Column("Version", ".spec.modelVersion"),
            Column("Verdict", ".spec.verdict"),
            AGE,
            Column("Message", ".spec.message", priority=1),
        ),
    ),
)


def build_crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    singular = kind.plural.removesuffix("s")
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_build_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": build_structural_schema(kind.resource)},
    }
    if kind.subresources is not None:
        version["subresources"] = kind.subresources
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.name},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.resource.__name__,
                "listKind": f"{kind.resource.__name__}List",
                "plural": kind.plural,
                "singular": singular,
                "shortNames": [kind.short],
                "categories": ["tidegate"],
            },
            "versions": [version],
        },
    }


def _build_column(column: Column) -> dict[str, Any]:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return shown | ({"priority": column.priority} if column.priority else {})


def generate_files() -> dict[str, str]:
    """What each generated file must contain, by its path from the repository's root."""
    files = {}
    for kind in KINDS:
        crd = build_crd(kind)
        files[f"{CRD_FOLDER}/{kind.plural}.yaml"] = HEADER + _dump(crd)
        # `helm uninstall` would otherwise delete every model that users have deployed, with all its pods.
        crd["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
        files[f"{CHART_FOLDER}/{kind.plural}.yaml"] = HEADER + _dump(crd)
    return files


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Writes repeated parts again: Helm and people stumble over anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - the base class's signature
        return True


def main(arguments: list[str]) -> int:
    """Writes the files into the current folder; with --check says which differ, and returns 1 if any does."""
    files = generate_files()
    stale = [
        path for path, text in files.items() if not Path(path).is_file() or Path(path).read_text() != text
    ]
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path} is not what the models say; run python -m tidegate_operator.api.crd\n")
        return 1 if stale else 0
    for path in stale:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(files[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
