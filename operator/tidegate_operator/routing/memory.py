"""A router's memory: the last known routes, for a router that starts while nobody leads."""

from __future__ import annotations

import gzip
from base64 import b64encode
from typing import Any

from tidegate_operator.plan.facts import Manifest
from tidegate_operator.routing.clusters import build_address
from tidegate_operator.routing.discovery import Discovery

MEMORY_NAME = "tidegate-routes"
MEMORY_FOLDER = "/etc/tidegate-routes"
# etcd takes no larger object than 1.5 MB, the API server no larger ConfigMap than 1 MiB. Compressed, as here, a
# model takes some 200 bytes: as plain JSON it takes 8,000, and a namespace of 200 models would have no memory.
SIZE_LIMIT_BYTES = 1_000_000
# The most that Envoy allows. Routes are so alike that they shrink to a fiftieth.
MAX_INFLATE_RATIO = 1032

# Stands in for the leader. To who asks for the first time it gives the file; who has routes keeps them: they are
# at least as new as the file.
_SCRIPT = """
function envoy_on_request(handle)
  local path = handle:headers():get(":path")
  if path:find("^/ready") then
    handle:respond({[":status"] = "200"}, "ready")
    return
  end
  local body = handle:body()
  local asked = body and body:getBytes(0, body:length()) or ""
  if asked:find('"version_info"%s*:%s*"[^"]') then
    handle:respond({[":status"] = "304"}, "")
    return
  end
  local file = io.open("FOLDER/" .. (path:match("discovery:(%a+)$") or "") .. ".json.gz", "rb")
  if not file then
    handle:respond({[":status"] = "503"}, "nothing is known yet")
    return
  end
  local known = file:read("*a")
  file:close()
  handle:respond({
    [":status"] = "200", ["content-type"] = "application/json", ["content-encoding"] = "gzip"
  }, known)
end
"""


def build_memory(
    namespace: str,
    owners: list[dict[str, Any]],
    discovery: Discovery,
    *,
    size_limit_bytes: int = SIZE_LIMIT_BYTES,
) -> Manifest | None:
    """The ConfigMap with what the leader answers now; none if it would be too large for one."""
    files = {
        "clusters.json.gz": _compress(discovery.answer_clusters(namespace).body),
        "routes.json.gz": _compress(discovery.answer_routes(namespace).body),
    }
    if sum(len(content) for content in files.values()) > size_limit_bytes:
        return None
    metadata = {
        "name": MEMORY_NAME,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/part-of": "tidegate", "app.kubernetes.io/managed-by": "tidegate"},
        "ownerReferences": owners,
    }
    data = {name: b64encode(content).decode() for name, content in files.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": data}


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
    # The files are compressed, and who asks for routes reads plain JSON.
    decompressor = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.decompressor.v3.Decompressor",
        "decompressor_library": {
            "name": "gzip",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.compression.gzip.decompressor.v3.Gzip",
                "max_inflate_ratio": MAX_INFLATE_RATIO,
            },
        },
    }
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    filters = {
        "envoy.filters.http.fault": delay,
        "envoy.filters.http.decompressor": decompressor,
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


def _compress(content: bytes) -> bytes:
    """The same content gives the same bytes, at any time."""
    return gzip.compress(content, mtime=0)
