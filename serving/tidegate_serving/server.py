"""The server: listens, ends what takes too long, and stops without cutting an answer off."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Final

from tidegate_serving.exchange import Handler
from tidegate_serving.http1 import Connection

_CONNECTIONS: Final = 4096
"""Far above `max_in_flight`: a connection that is not accepted can't be told 429, nor can a probe."""
_BACKLOG: Final = 1024
_TICK_SECONDS: Final = 0.5


class Server:
    """Accepts connections and keeps their time."""

    def __init__(self, handler: Handler, *, request_seconds: float) -> None:
        self.handler = handler
        self.request_seconds = request_seconds
        self.date = b""
        self._connections: set[Connection] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._listener: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> None:
        """Listens.

        Raises:
            OSError: The address can't be had.
        """
        loop = asyncio.get_running_loop()
        self._tick(loop)
        self._listener = await loop.create_server(
            lambda: Connection(self, loop), host, port, backlog=_BACKLOG
        )

    async def stop(self) -> None:
        """Listens no more, and returns once all that is under way is answered."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._connections):
            connection.finish()
        await self._none_left.wait()
        if self._ticking is not None:
            self._ticking.cancel()

    def opened(self, connection: Connection) -> None:
        """A client has connected; one too many is hung up on."""
        self._connections.add(connection)
        self._none_left.clear()
        if len(self._connections) > _CONNECTIONS:
            connection.finish()

    def closed(self, connection: Connection) -> None:
        """A connection is over."""
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Again and again. A timer a request would cost each of them more than this costs all."""
        self.date = f"{formatdate(usegmt=True)}\r\n".encode()
        now = loop.time()
        for connection in [one for one in self._connections if one.deadline < now]:
            connection.expire()
        self._ticking = loop.call_later(_TICK_SECONDS, self._tick, loop)
