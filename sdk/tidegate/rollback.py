"""The rollback: to which version a ModelDeployment goes, and what will keep it from staying there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tidegate.history import RETRY_ANNOTATION
from tidegate.timeline import Entry, Record, find_former

Body = Mapping[str, Any]
"""An object as the API server tells it."""

_ARGO_CD: Final = "argocd.argoproj.io/tracking-id"
_INSTANCE: Final = "app.kubernetes.io/instance"
_FLUX: Final = {
    "kustomize.toolkit.fluxcd.io/name": "Flux's Kustomization",
    "helm.toolkit.fluxcd.io/name": "Flux's HelmRelease",
}


class NoFormerVersion(LookupError):  # noqa: N818 - what it is
    """Nobody can tell to which version; the message says what to do."""


def choose_former(deployment: Body, entries: Iterable[Entry]) -> str:
    """Gives the version to go back to from the one that the spec asks for.

    Where that one is not stable (it is being tried, or was taken back), the stable one; else the one that was stable
    before.

    Raises:
        NoFormerVersion: There is none, or nobody knows which.
    """
    name, wanted = deployment["metadata"]["name"], deployment["spec"]["modelVersion"]
    stable = (deployment.get("status") or {}).get("version")
    if stable and stable != wanted:
        return str(stable)
    former = find_former(entries, wanted)
    if len(former) == 1:
        return former[0]
    if former:
        raise NoFormerVersion(
            f"which version of {name} served before {wanted} is not recorded; choose with --to: {', '.join(former)}"
        )
    raise NoFormerVersion(
        f"no version of {name} served before {wanted}, as far as its records tell; name one with --to"
    )


def refuse_version(deployment: Body, name: str, version: Body | None) -> str | None:
    """Says why a ModelVersion can't be served here; none: it can."""
    if version is None:
        return f"there is no ModelVersion {name}; a rollback needs one that is still there"
    model = deployment["spec"].get("model") or deployment["metadata"]["name"]
    if (other := version["spec"]["model"]) != model:
        return f"{name} is a version of model {other}, and {deployment['metadata']['name']} serves {model}"
    return None


def foretell(deployment: Body, version: str, records: Iterable[Record]) -> str:
    """Says how the version will get its traffic, if nothing keeps it from that."""
    if (deployment.get("status") or {}).get("version") == version:
        return f"{version} is in service and stays so"
    if any(record.promoted and record.version == version for record in records):
        return (
            f"{version} has served before: it gets all requests as soon as its pods are ready, without a trial, unless "
            "spec.serving.resources are others now"
        )
    return f"{version} has not served here yet: it goes through spec.rollout as any new version"


def find_hindrances(deployment: Body, version: str) -> Iterator[str]:
    """Gives what keeps the version from serving, or from staying, and what to do; one sentence each."""
    name, status = deployment["metadata"]["name"], deployment.get("status") or {}
    if manager := find_manager(deployment):
        yield (
            f"{manager} will set spec.modelVersion back to what git says: write {version} there as well, in the "
            f"manifest of ModelDeployment {name}"
        )
    if status.get("version") == version:
        return
    if deployment["spec"].get("paused"):
        yield "spec.paused is true: nothing moves before it is false"
    for entry in status.get("rejected") or ():
        if entry.get("modelVersion") == version:
            yield (
                f"{version} was taken back ({entry.get('reason')}) and stays so until it is tried again: "
                f"kubectl annotate modeldeployment {name} --overwrite {RETRY_ANNOTATION}=<a new value>"
            )
            return


def find_manager(deployment: Body) -> str | None:
    """Who writes the object from git, by the marks that it left there; none: nobody, as far as they tell."""
    metadata = deployment["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if tracking := annotations.get(_ARGO_CD):
        return f"Argo CD's application {tracking.partition(':')[0]}"
    for label, what in _FLUX.items():
        if label in labels:
            return f"{what} {labels[label]}"
    if _INSTANCE in labels:
        return f"Argo CD, if its application {labels[_INSTANCE]} has this object (label {_INSTANCE}),"
    return None
