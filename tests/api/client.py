"""An HTTP client of the API server, as the holder of a token."""

from __future__ import annotations

import httpx
from cluster.api_server import ADMIN_TOKEN, ApiServer


def open_client(server: ApiServer, token: str = ADMIN_TOKEN, **headers: str) -> httpx.Client:
    return httpx.Client(
        base_url=server.url,
        verify=server.trust(),
        headers={"Authorization": f"Bearer {token}"} | headers,
        timeout=30,
    )
