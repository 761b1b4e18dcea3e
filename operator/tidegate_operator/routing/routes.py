"""Envoy routes: which revision answers a request, by its host or else by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate_operator.plan.plan import Route

ROUTES_TYPE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
ROUTES_NAME = "tidegate"

XDS_READY_PATH = "/ready"
"""With a namespace behind it, of the leader: whether it answers who asks as a router of that namespace."""
READY_PATH = "/.tidegate/ready"
"""Answered as soon as a router has routes, be it none: before that, it would refuse models that are there."""

# The last of tidegate.counts.LATENCY_BOUNDS_MS: what takes longer has failed, and no bin lies beyond.
TIMEOUT = "30s"
# No answer for so long, and another pod of the same revision is asked as well; the first answer wins. Longer than a
# prediction takes, shorter than a client's patience: a pod that hangs then costs seconds, not the request.
SECOND_TRY_AFTER = "3s"
# What predictors say about themselves is for the operator and Prometheus, who ask the pods.
PRIVATE_PATHS = ("/internal", "/metrics")


def build_routes(namespace: str, routes: Mapping[str, Route]) -> dict[str, Any]:
    """All routes of a namespace as one Envoy RouteConfiguration."""
    hosts = [_build_host(namespace, name, route) for name, route in routes.items()]
    return {
        "@type": ROUTES_TYPE,
        "name": ROUTES_NAME,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [*hosts, _build_default_host(namespace, routes)],
    }


def _build_host(namespace: str, name: str, route: Route) -> dict[str, Any]:
    return {
        "name": name,
        "domains": [
            name,
            f"{name}.{namespace}",
            f"{name}.{namespace}.svc",
            f"{name}.{namespace}.svc.cluster.local",
        ],
        "routes": [*_build_private(), {"match": {"prefix": "/"}, "route": _build_action(route)}],
    }


def _build_default_host(namespace: str, routes: Mapping[str, Route]) -> dict[str, Any]:
    """For a port-forward or an ingress, whose host says nothing: the path picks the model."""
    message = f"namespace {namespace} has no such model; ask for /v2/models/<ModelDeployment>/infer"
    matches = [
        {"match": match, "route": _build_action(route)}
        for name, route in routes.items()
        for match in _match_paths(name)
    ]
    return {
        "name": "by-path",
        "domains": ["*"],
        "routes": [
            {"match": {"path": READY_PATH}, "direct_response": {"status": 200}},
            *matches,
            {"match": {"prefix": "/"}, **_refuse(message)},
        ],
    }


def _match_paths(name: str) -> Iterator[dict[str, Any]]:
    yield {"path_separated_prefix": f"/v2/models/{name}"}
    yield {"path_separated_prefix": f"/v1/models/{name}"}
    yield {"prefix": f"/v1/models/{name}:"}


def _build_private() -> list[dict[str, Any]]:
    return [
        {"match": {"path_separated_prefix": path}, **_refuse(f"{path} is answered by the pods only")}
        for path in PRIVATE_PATHS
    ]


def _refuse(message: str) -> dict[str, Any]:
    return {
        "direct_response": {"status": 404, "body": {"inline_string": json.dumps({"error": message})}},
        "response_headers_to_add": [
            {
                "header": {"key": "content-type", "value": "application/json"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }


def _build_action(route: Route) -> dict[str, Any]:
    shares = {route.stable: 100 - route.weight}
    if route.candidate:
        shares[route.candidate] = route.weight
    action: dict[str, Any] = {
        "weighted_clusters": {
            "clusters": [{"name": name, "weight": share} for name, share in shares.items() if share > 0]
        },
        "timeout": TIMEOUT,
        "hedge_policy": {"hedge_on_per_try_timeout": True},
        "retry_policy": {
            # What got no answer is tried again, on another pod of the same revision: predictions have no side
            # effects. A 5xx is an answer: it stands. What a retry saved is counted as failed all the same
            # (observe/envoy.py), so a candidate is judged by what its pods did, not by what was made of it.
            "retry_on": "connect-failure,refused-stream,reset",
            "num_retries": 2,
            "per_try_timeout": SECOND_TRY_AFTER,
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3."
                        "PreviousHostsPredicate"
                    },
                }
            ],
            # Each choice is by chance: of two pods, three choices would end at the one that failed every eighth time.
            "host_selection_retry_max_attempts": "10",
        },
    }
    if route.candidate and route.mirror > 0:
        action["request_mirror_policies"] = [
            {
                "cluster": route.candidate,
                "runtime_fraction": {"default_value": {"numerator": route.mirror, "denominator": "HUNDRED"}},
                "disable_shadow_host_suffix_append": True,
            }
        ]
    return action
