"""Seeding: the routes that were last decided, from the statuses that hold them."""

from __future__ import annotations

from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.status import ModelDeploymentStatus
from tidegate_operator.observe.store import Kind, Store
from tidegate_operator.plan.plan import Route
from tidegate_operator.routing.table import RouteTable


def seed_routes(store: Store, table: RouteTable, namespace: str | None) -> int:
    """Put the stored routes of a namespace (none: of all) in force, before its routers are answered; how many."""
    seeded = 0
    for each in [namespace] if namespace else store.namespaces_of(Kind.MODEL_DEPLOYMENT):
        for body in store.select(Kind.MODEL_DEPLOYMENT, each):
            deployment = ModelDeployment.model_validate(body)
            route = read_route(deployment.status)
            if route is not None:
                table.set_route(each, deployment.metadata.name, route)
                seeded += 1
    return seeded


def read_route(status: ModelDeploymentStatus) -> Route | None:
    """The route that a status says was decided; none if nothing served yet."""
    if status.stable is None:
        return None
    desired = status.traffic.desired if status.traffic else None
    # One without traffic is named by the plan when its pods are ready, not before.
    exposed = desired is not None and bool(desired.candidate_weight or desired.mirror)
    candidate = status.candidate.revision if status.candidate and exposed else None
    return Route(
        stable=status.stable.revision,
        candidate=candidate,
        weight=desired.candidate_weight if desired and candidate else 0,
        mirror=desired.mirror if desired and candidate else 0,
        warm=(status.warm.revision,) if status.warm else (),
    )
