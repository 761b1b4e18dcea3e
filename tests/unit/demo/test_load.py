"""The load generator accounts for every request that it sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from demo.load import NO_REVISION, Load


@contextmanager
def server(*, refuses: bytes) -> Iterator[str]:
    """A predictor that refuses one body with 400, and answers all others as revision r1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = b"age: is missing" if body == refuses else b"{}"
            self.send_response(400 if body == refuses else 200)
            self.send_header("tidegate-revision", "r1")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}/"
        finally:
            listening.shutdown()
            thread.join()


def send(url: str, bodies: list[bytes], *, count: int) -> Load:
    deadline = time.monotonic() + 10
    with Load(url, bodies, per_second=500) as load:
        while load.book.sent < count and time.monotonic() < deadline:
            time.sleep(0.01)
    return load


def test_every_request_sent_is_answered_or_failed_when_the_load_ends() -> None:
    with server(refuses=b"b") as url:
        book = send(url, [b"a", b"b"], count=40).book
    assert book.sent >= 40
    assert book.sent == book.answered["r1"] + book.failures()


def test_a_refusal_keeps_its_status_its_words_and_the_revision_that_gave_it() -> None:
    with server(refuses=b"b") as url:
        book = send(url, [b"a", b"b"], count=20).book
    assert set(book.failed) == {("r1", "400: age: is missing")}
    assert book.failures(of=["r2"]) == 0


def test_each_revision_is_remembered_from_its_first_answer_to_its_last() -> None:
    with server(refuses=b"b") as url:
        book = send(url, [b"a", b"b"], count=20).book
    first, last = book.seen_between["r1"]
    assert set(book.seen_between) == {"r1"}
    assert 0.02 < (last - first).total_seconds() < 10


def test_where_nobody_listens_every_request_is_lost_with_its_reason() -> None:
    with server(refuses=b"") as url:
        pass
    book = send(url, [b"a"], count=5).book
    assert book.failures(of=[NO_REVISION]) == book.sent
    assert all(failure.startswith("ClientConnectorError") for _, failure in book.failed)
