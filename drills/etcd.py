"""etcd, asked over its JSON gateway with the node's own certificates."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Final

from cluster.kind import NODE
from demo.kubectl import run

from drills.node import on_node

_PKI: Final = "/etc/kubernetes/pki/etcd"
_FILES: Final = ("ca.crt", "server.crt", "server.key")


def forget_the_past() -> None:
    """Compacts: only the last state of every object stays, and who watches from an older one is told 410 (gone)."""
    address = run(
        "docker", "inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", NODE
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in _FILES:
            (Path(folder) / name).write_text(on_node(f"cat {_PKI}/{name}"))
        ca, certificate, key = (str(Path(folder) / name) for name in _FILES)
        context = ssl.create_default_context(cafile=ca)
        context.load_cert_chain(certificate, key)
        url = f"https://{address.strip()}:2379/v3/kv"
        everything = {"key": base64.b64encode(b"\0").decode(), "limit": "1"}
        revision = _ask(f"{url}/range", everything, context)["header"]["revision"]
        _ask(f"{url}/compaction", {"revision": revision, "physical": True}, context)


def _ask(url: str, body: dict[str, Any], context: ssl.SSLContext) -> dict[str, Any]:
    request = urllib.request.Request(url, data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        document: dict[str, Any] = json.load(answer)
    return document
