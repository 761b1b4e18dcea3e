"""The target: which revision the spec asks for, or in one sentence why it can't be told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.plan.course import Reason
from tidegate_operator.plan.facts import Revision, Snapshot
from tidegate_operator.plan.identity import name_revision
from tidegate_operator.plan.release_policy import NotSigned
from tidegate_operator.plan.render import RenderSettings, build_revision


@dataclass(frozen=True, slots=True)
class Target:
    """The revision that the spec asks for, under the name that it asks by; `known`: it is recorded already."""

    revision: Revision
    known: bool


@dataclass(frozen=True, slots=True)
class Unclear:
    """Why there is no target."""

    reason: Reason
    message: str


def find_target(snapshot: Snapshot, settings: RenderSettings) -> Target | Unclear:
    """The recorded revision of the wanted version if there is one, else a new one, rendered now."""
    deployment, version = snapshot.deployment, snapshot.version
    wanted = deployment.spec.model_version
    if version is None:
        return Unclear(
            Reason.VERSION_NOT_FOUND,
            f"there is no ModelVersion {wanted} in namespace {deployment.metadata.namespace} "
            "(spec.modelVersion); apply it, or name another one",
        )
    model = deployment.spec.model or deployment.metadata.name
    if version.spec.model != model:
        return Unclear(
            Reason.OTHER_MODEL,
            f"ModelVersion {wanted} is a version of model {version.spec.model}, this is a deployment of "
            f"{model}; name a version of {model} in spec.modelVersion, or set spec.model",
        )
    name = name_revision(deployment, version)
    if (lack := snapshot.find_unsigned(wanted)) and not _is_stable(deployment, name):
        return Unclear(Reason.NOT_SIGNED, _say_not_loaded(deployment, lack))
    for revision in snapshot.revisions:
        if revision.name == name:
            # Signed later, say, and registered once more: the same bytes are the same revision.
            return Target(replace(revision, model_version=wanted), known=True)
    number = 1 + max((revision.number for revision in snapshot.revisions), default=0)
    return Target(build_revision(deployment, version, number=number, settings=settings), known=False)


def _is_stable(deployment: ModelDeployment, revision: str) -> bool:
    """Whether a revision is in service.

    What was released before there was a policy goes on: else a new key would take every model out of service.
    """
    stable = deployment.status.stable
    return stable is not None and stable.revision == revision


def _say_not_loaded(deployment: ModelDeployment, lack: NotSigned) -> str:
    version, stable = deployment.spec.model_version, deployment.status.stable
    serves = stable is not None and stable.model_version == version
    what = (
        f"{version} goes on as it is and is loaded in no other way" if serves else f"{version} is not loaded"
    )
    return (
        f"{what}: {lack.sentence}; sign its bundle with `tidegate sign`, and apply it with its signature as a "
        "ModelVersion of another name, since a ModelVersion never changes"
    )
