"""Envoy clusters: the endpoints of one revision, as a router finds and watches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidegate import pod

CLUSTER_TYPE = "type.googleapis.com/envoy.config.cluster.v3.Cluster"

Address = tuple[str, int]
FindAddress = Callable[[str, str], Address]
"""Namespace and revision → host name and port where its pods answer."""


def find_headless_service(namespace: str, revision: str) -> Address:
    """The headless Service of a revision: pods come and go in DNS while no operator is there."""
    return f"{revision}.{namespace}.svc.cluster.local", pod.PORT


def build_cluster(revision: str, address: Address) -> dict[str, Any]:
    """One revision's endpoints: found by DNS every second, held healthy while that very revision answers."""
    return {
        "@type": CLUSTER_TYPE,
        "name": revision,
        "cluster_type": build_dns_discovery(),
        # Shorter than TCP waits before it repeats itself: another pod has answered by then.
        "connect_timeout": "0.5s",
        "load_balancing_policy": {"policies": [_choose_the_least_busy()]},
        "common_lb_config": {
            # By default, Envoy asks all endpoints, sick ones too, once fewer than half are well: three pods that
            # start beside one that serves would get three requests of four. When nobody is well, nothing is lost.
            "healthy_panic_threshold": {"value": 1},
            # By default a second change within a second waits for the next one: so long requests would go on to a
            # pod that is known to be gone.
            "update_merge_window": "0s",
        },
        "outlier_detection": _build_ejection(),
        # An endpoint that DNS no longer names stays as long as this revision answers there: two DNS servers that
        # remember different answers for 30 s would otherwise empty a cluster whose pods are well.
        "ignore_health_on_host_removal": False,
        "health_checks": [build_health_check(pod.ROUTER_PATH + revision)],
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 4096,
                    "max_pending_requests": 4096,
                    "max_requests": 8192,
                    "max_retries": 64,
                }
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                # Shorter than the predictor's keep-alive: a request must not meet a connection that it is closing.
                "common_http_protocol_options": {"idle_timeout": "3s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "load_assignment": build_endpoints(revision, address),
    }


def _choose_the_least_busy() -> dict[str, Any]:
    """All endpoints are compared, so that one that hangs is given hardly more than its first request."""
    policy = "type.googleapis.com/envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest"
    return {
        "typed_extension_config": {
            "name": "envoy.load_balancing_policies.least_request",
            "typed_config": {"@type": policy, "selection_method": "FULL_SCAN"},
        }
    }


def _build_ejection() -> dict[str, Any]:
    """Three connections in a row that failed take an endpoint out, until it answers its health check again.

    So a pod that was killed costs three attempts, not those of the seconds until its second check has failed.

    Answers are never held against an endpoint, whatever their status: a pod of the candidate that fails must go on
    failing in front of the evidence.
    """
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_local_origin_success_rate": 0,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_failure_percentage": 0,
        "enforcing_failure_percentage_local_origin": 0,
        "max_ejection_percent": 100,
        "base_ejection_time": "5s",
        "max_ejection_time": "30s",
    }


def build_dns_discovery() -> dict[str, Any]:
    """Every address that a name has is an endpoint. Asked each second: a new pod must not wait for a TTL of 30 s."""
    return {
        "name": "envoy.cluster.dns",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
            "dns_lookup_family": "V4_PREFERRED",
            "respect_dns_ttl": False,
            "dns_refresh_rate": "1s",
            "dns_failure_refresh_rate": {"base_interval": "1s", "max_interval": "2s"},
        },
    }


def build_health_check(path: str) -> dict[str, Any]:
    """Two failures in three seconds take an endpoint out, one good answer takes it in."""
    return {
        "timeout": "1s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "unhealthy_interval": "1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": path},
    }


def build_endpoints(cluster: str, *addresses: Address) -> dict[str, Any]:
    """Addresses in the order of preference: the second is used only while the first is not healthy."""
    return {
        "cluster_name": cluster,
        "endpoints": [
            {"priority": priority, "lb_endpoints": [{"endpoint": {"address": build_address(*address)}}]}
            for priority, address in enumerate(addresses)
        ],
    }


def build_address(host: str, port: int) -> dict[str, Any]:
    """A TCP address as Envoy writes it."""
    return {"socket_address": {"address": host, "port_value": port}}
