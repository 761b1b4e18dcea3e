"""The watches: kopf as transport for events, and for nothing else."""

from __future__ import annotations

from typing import Any

import kopf

from tidegate_operator.act.cluster import RESOURCES
from tidegate_operator.main.intake import SELECTORS, Intake
from tidegate_operator.observe.store import Kind


async def run_watches(intake: Intake, namespaces: tuple[str, ...]) -> None:
    """Watch for ever; returns when a signal asks the process to end."""
    registry = kopf.OperatorRegistry()
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    # Without this, kopf asks for the right to list namespaces and CRDs, which it needs for patterns only.
    settings.scanning.disabled = True
    kopf.on.login(registry=registry)(_login)
    for kind, selector in SELECTORS.items():
        resource = RESOURCES[kind.value]
        group, _, version = resource.api_version.rpartition("/")
        if selector:
            settings.watching.label_selectors[group, resource.plural] = selector
        kopf.on.event(group, version, resource.plural, registry=registry, id=f"take-{resource.plural}")(
            _build_handler(intake, kind)
        )
    await kopf.operator(
        registry=registry,
        settings=settings,
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
    )


def _build_handler(intake: Intake, kind: Kind) -> Any:  # noqa: ANN401 - kopf's handlers take what it passes
    async def take(event: Any, **_: Any) -> None:  # noqa: ANN401 - as above
        # kopf hands the object out as a dictionary that it does not touch afterwards.
        body = {"apiVersion": RESOURCES[kind.value].api_version, "kind": kind.value, **event["object"]}
        intake.take(kind, event["type"], body)

    return take


def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:  # noqa: ANN401 - as above
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
