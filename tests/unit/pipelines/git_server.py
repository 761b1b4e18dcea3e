"""A git server on this machine: git's own, over HTTP, for those who have the token."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# What git's server reads in its environment, of the headers that its client sent.
HANDED_ON = {
    "Content-Type": "CONTENT_TYPE",
    "Content-Length": "CONTENT_LENGTH",
    "Content-Encoding": "HTTP_CONTENT_ENCODING",
    "Git-Protocol": "GIT_PROTOCOL",
}


class Server(ThreadingHTTPServer):
    """The bare repositories of a folder."""

    def __init__(self, folder: Path, token: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.token = folder, token


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        _, _, credentials = self.headers.get("Authorization", "").partition("Basic ")
        if base64.b64decode(credentials).decode().partition(":")[2] != self.server.token:
            self.reply(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            return
        head, _, content = self.ask_git().partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.reply(int(headers.pop("Status", "200").split()[0]), headers, content)

    def do_POST(self) -> None:
        self.do_GET()

    def ask_git(self) -> bytes:
        path, _, query = self.path.partition("?")
        request = {
            "GIT_PROJECT_ROOT": str(self.server.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "release",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
        }
        given = {name: self.headers[header] for header, name in HANDED_ON.items() if header in self.headers}
        return subprocess.run(
            ["git", "http-backend"],
            env=os.environ | request | given,
            input=self.rfile.read(int(self.headers.get("Content-Length", 0))),
            check=True,
            stdout=subprocess.PIPE,
        ).stdout

    def reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serve_repositories(folder: Path, token: str) -> Iterator[str]:
    """Serves them until the block ends; gives the folder's URL."""
    with Server(folder, token) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
