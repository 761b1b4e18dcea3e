"""The API server as the benchmark asks it, many requests at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Any, Self

import aiohttp
from cluster.api_server import ADMIN_TOKEN, ApiServer

AT_ONCE = 16

Object = dict[str, Any]


class Api:
    """The admin's session."""

    def __init__(self, server: ApiServer) -> None:
        self._session = aiohttp.ClientSession(
            server.url,
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
            connector=aiohttp.TCPConnector(ssl=server.trust(), limit=2 * AT_ONCE),
        )
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str) -> Object:
        """An object, or a list of them."""
        async with self._session.get(path) as answer:
            answer.raise_for_status()
            found: Object = await answer.json()
            return found

    async def apply(self, path: str, manifest: Object) -> None:
        """Server-side apply, as `kubectl apply --server-side`."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        query = {"fieldManager": "bench", "fieldValidation": "Strict"}
        async with (
            self._at_once,
            self._session.patch(path, params=query, json=manifest, headers=headers) as answer,
        ):
            if answer.status >= 300:
                raise RuntimeError(f"{path}: {await answer.text()}")

    async def apply_all(self, manifests: Iterable[tuple[str, Object]]) -> None:
        """Apply objects beside one another, by their paths."""
        await asyncio.gather(*(self.apply(path, manifest) for path, manifest in manifests))

    async def request_token(self, namespace: str, account: str) -> str:
        """A token such as the kubelet gives a pod of this ServiceAccount."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        async with self._session.post(path, json={"spec": {"expirationSeconds": 6 * 3600}}) as answer:
            answer.raise_for_status()
            token: str = (await answer.json())["status"]["token"]
            return token

    async def delete(self, path: str) -> None:
        """Delete an object."""
        async with self._session.delete(path) as answer:
            answer.raise_for_status()

    async def watch(self, path: str, selector: str) -> AsyncIterator[tuple[str, Object]]:
        """What is there, then what changes, as (`ADDED`, object) and so on; ends when the server ends the watch."""
        query = {"watch": "true", "labelSelector": selector, "timeoutSeconds": "3600"}
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(path, params=query, timeout=timeout) as answer:
            answer.raise_for_status()
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]
