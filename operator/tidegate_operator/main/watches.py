"""The watches: kopf as transport for events, and for nothing else."""

from __future__ import annotations

from typing import Any

import kopf

# The type of what kopf.operator takes as `insights`; kopf gives it no public name.
from kopf._cogs.structs.references import Insights, NamespaceName

from tidegate_operator.act.cluster import LARGE_PAGE, RESOURCES
from tidegate_operator.main.intake import SELECTORS, Intake
from tidegate_operator.observe.store import Kind

WORKER_SECONDS = 0.1
"""How long kopf's task for an object waits for its next event, and holds the last one meanwhile.

Its default of 5 s keeps whole what the list at the start brought. Ours need nothing kept between two events.
"""


class Watches:
    """All watches of one process: either of all namespaces, or of some, to which more may come."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._insights = Insights()

    async def run(self, namespaces: tuple[str, ...]) -> None:
        """Watch these namespaces (none: all) for ever; returns when a signal asks the process to end."""
        registry = kopf.OperatorRegistry()
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        # Without this, kopf asks for the right to list namespaces and CRDs, which it needs for patterns only.
        settings.scanning.disabled = True
        # kopf lists all kinds at once, each in one answer if it isn't told otherwise.
        settings.watching.chunk_size = LARGE_PAGE
        settings.queueing.idle_timeout = WORKER_SECONDS
        kopf.on.login(registry=registry)(_login)
        for kind, selector in SELECTORS.items():
            resource = RESOURCES[kind.value]
            group, _, version = resource.api_version.rpartition("/")
            if selector:
                settings.watching.label_selectors[group, resource.plural] = selector
            kopf.on.event(group, version, resource.plural, registry=registry, id=f"take-{resource.plural}")(
                _build_handler(self._intake, kind)
            )
        await kopf.operator(
            registry=registry,
            settings=settings,
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            insights=self._insights,
        )

    async def add(self, namespace: str) -> None:
        """Watch one more namespace."""
        async with self._insights.revised:
            self._insights.namespaces.add(NamespaceName(namespace))
            self._insights.revised.notify_all()


def _build_handler(intake: Intake, kind: Kind) -> Any:  # noqa: ANN401 - kopf's handlers take what it passes
    async def take(event: Any, **_: Any) -> None:  # noqa: ANN401 - as above
        # kopf hands the object out as a dictionary that it does not touch afterwards.
        body = {"apiVersion": RESOURCES[kind.value].api_version, "kind": kind.value, **event["object"]}
        intake.take(kind, event["type"], body)

    return take


def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:  # noqa: ANN401 - as above
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
