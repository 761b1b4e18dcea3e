"""A router's bootstrap: what Envoy knows before it has asked the leader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate.counts import LATENCY_BOUNDS_MS
from tidegate_operator.routing.clusters import (
    Address,
    build_address,
    build_dns_discovery,
    build_endpoints,
    build_health_check,
)
from tidegate_operator.routing.memory import MEMORY_FOLDER, build_memory_listener
from tidegate_operator.routing.routes import ROUTES_NAME, XDS_READY_PATH

XDS_CLUSTER = "tidegate-xds"
ADMIN_CLUSTER = "tidegate-admin"
# Only what the operator reads: Envoy has some 120 counters a cluster otherwise.
KEPT_STATS = (
    r"^cluster\.[^.]+\.(upstream_rq_(total|completed|time|timeout|retry|retry_success|[2345]xx)|membership_(total|healthy))$"
    r"|^cluster_manager\.(cds\.update_.*|active_clusters)$|^http\.[^.]+\.rds\..*$"
    r"|^http\.(tidegate|memory)\.(downstream_rq_.*|downstream_cx_active)$|^server\.(live|uptime|state)$"
)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a router listens."""

    traffic: int = 10000
    stats: int = 9902
    admin: int = 9901
    """On the loopback only: it can do everything."""
    memory: int = 9903
    """On the loopback only: the last known routes."""


def build_bootstrap(
    namespace: str,
    *,
    xds_address: tuple[str, int],
    ports: Ports = Ports(),
    memory_folder: str = MEMORY_FOLDER,
) -> dict[str, Any]:
    """Envoy's bootstrap: a listener for requests, one for stats, and whom to ask for the rest.

    The leader is asked; only while it does not answer, the router's own memory is.
    """
    rds = {"rds": {"route_config_name": ROUTES_NAME, "config_source": _ask_leader()}}
    xds = _build_static_cluster(XDS_CLUSTER, xds_address, ("127.0.0.1", ports.memory))
    return {
        "node": {"id": f"router.{namespace}", "cluster": namespace},
        "admin": {"address": build_address("127.0.0.1", ports.admin)},
        "dynamic_resources": {"cds_config": _ask_leader()},
        "static_resources": {
            "listeners": [
                _build_listener("tidegate", ports.traffic, rds),
                _build_listener("stats", ports.stats, {"route_config": _build_stats_routes()}),
                build_memory_listener(ports.memory, memory_folder),
            ],
            "clusters": [
                xds | {"health_checks": [build_health_check(f"{XDS_READY_PATH}/{namespace}")]},
                _build_static_cluster(ADMIN_CLUSTER, ("127.0.0.1", ports.admin)),
            ],
        },
        "stats_flush_interval": "1s",
        "overload_manager": _build_overload_limits(),
        "stats_config": _build_stats_config(),
    }


def _ask_leader() -> dict[str, Any]:
    """Ask, be held until something changes, ask again: what is decided is live within milliseconds."""
    return {
        "resource_api_version": "V3",
        # Until the first answer, or this long, Envoy opens no listener, that of its own memory included.
        "initial_fetch_timeout": "3s",
        "api_config_source": {
            "api_type": "REST",
            "transport_api_version": "V3",
            "cluster_names": [XDS_CLUSTER],
            "refresh_delay": "0.05s",
            "request_timeout": "15s",
        },
    }


def _build_overload_limits() -> dict[str, Any]:
    """Beyond this many connections new ones are refused, so that those there are keep being answered."""
    limit = {
        "@type": "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3."
        "DownstreamConnectionsConfig",
        "max_active_downstream_connections": 20000,
    }
    name = "envoy.resource_monitors.global_downstream_max_connections"
    return {"resource_monitors": [{"name": name, "typed_config": limit}]}


def _build_stats_config() -> dict[str, Any]:
    return {
        "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": KEPT_STATS}}]}},
        "histogram_bucket_settings": [
            {"match": {"suffix": "upstream_rq_time"}, "buckets": list(LATENCY_BOUNDS_MS)}
        ],
    }


def _build_listener(name: str, port: int, routes: dict[str, Any]) -> dict[str, Any]:
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": name,
        "http_filters": [router],
        "normalize_path": True,
        "merge_slashes": True,
        "use_remote_address": True,
        "common_http_protocol_options": {"idle_timeout": "300s"},
        **routes,
    }
    return {
        "name": name,
        "address": build_address("0.0.0.0", port),  # noqa: S104 - the pod's address is not known here
        "per_connection_buffer_limit_bytes": 8 * 1024 * 1024,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _build_stats_routes() -> dict[str, Any]:
    """Of the admin interface only what can do no harm."""
    routes = [
        {"match": {"path": path}, "route": {"cluster": ADMIN_CLUSTER}}
        for path in ("/stats", "/stats/prometheus", "/ready")
    ]
    return {"name": "stats", "virtual_hosts": [{"name": "stats", "domains": ["*"], "routes": routes}]}


def _build_static_cluster(name: str, *addresses: Address) -> dict[str, Any]:
    return {
        "name": name,
        "cluster_type": build_dns_discovery(),
        "connect_timeout": "1s",
        "load_assignment": build_endpoints(name, *addresses),
    }
