"""A router's memory: the last known routes, for a router that starts while nobody leads."""

from __future__ import annotations

import json
from typing import Any

from tidegate_operator.plan.facts import Manifest
from tidegate_operator.routing.clusters import CLUSTER_TYPE, build_address
from tidegate_operator.routing.discovery import Discovery, build_response
from tidegate_operator.routing.routes import ROUTES_TYPE

MEMORY_NAME = "tidegate-routes"
MEMORY_FOLDER = "/etc/tidegate-routes"
# etcd takes no larger object than 1.5 MB, the API server no larger ConfigMap than 1 MiB.
SIZE_LIMIT_BYTES = 1_000_000

# Stands in for the leader. To who asks for the first time it gives the file; who has routes keeps them: they are
# at least as new as the file.
_SCRIPT = """
function envoy_on_request(handle)
  local path = handle:headers():get(":path")
  if path == "/ready" then
    handle:respond({[":status"] = "200"}, "ready")
    return
  end
  local body = handle:body()
  local asked = body and body:getBytes(0, body:length()) or ""
  if asked:find('"version_info"%s*:%s*"[^"]') then
    handle:respond({[":status"] = "304"}, "")
    return
  end
  local file = io.open("FOLDER/" .. (path:match("discovery:(%a+)$") or "") .. ".json")
  if not file then
    handle:respond({[":status"] = "503"}, "nothing is known yet")
    return
  end
  local known = file:read("*a")
  file:close()
  handle:respond({[":status"] = "200", ["content-type"] = "application/json"}, known)
end
"""


def build_memory(namespace: str, owners: list[dict[str, Any]], discovery: Discovery) -> Manifest | None:
    """The ConfigMap with what the leader answers now; none if it would be too large for one."""
    data = {
        "clusters.json": _dump(build_response(CLUSTER_TYPE, discovery.list_clusters(namespace))),
        "routes.json": _dump(build_response(ROUTES_TYPE, discovery.list_routes(namespace))),
    }
    if sum(len(document) for document in data.values()) > SIZE_LIMIT_BYTES:
        return None
    metadata = {
        "name": MEMORY_NAME,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/part-of": "tidegate", "app.kubernetes.io/managed-by": "tidegate"},
        "ownerReferences": owners,
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def build_memory_listener(port: int, folder: str) -> dict[str, Any]:
    """The listener, on the loopback, that answers like a leader who only remembers."""
    # Without a pause, a router without a leader would ask itself twenty times a second.
    delay = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "delay": {"fixed_delay": "0.5s", "percentage": {"numerator": 100}},
        "headers": [{"name": ":path", "string_match": {"prefix": "/v3/"}}],
    }
    lua = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": _SCRIPT.replace("FOLDER", folder)},
    }
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    filters = {
        "envoy.filters.http.fault": delay,
        "envoy.filters.http.lua": lua,
        "envoy.filters.http.router": router,
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": "memory",
        "http_filters": [{"name": name, "typed_config": config} for name, config in filters.items()],
        "route_config": {
            "name": "memory",
            "virtual_hosts": [
                {
                    "name": "memory",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 404}}],
                }
            ],
        },
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "name": "memory",
        "address": build_address("127.0.0.1", port),
        "per_connection_buffer_limit_bytes": 8 * 1024 * 1024,
        "filter_chains": [{"filters": [network]}],
    }


def _dump(response: dict[str, Any]) -> str:
    return json.dumps(response, separators=(",", ":"))
