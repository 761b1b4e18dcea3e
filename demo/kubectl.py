"""kubectl as the demo and the cluster tests call it: objects in, objects out, errors as one sentence."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

Manifest = Mapping[str, Any]
"""A Kubernetes object as it is written to the API server."""


class ProgramFailedError(RuntimeError):
    """A program ended badly; the message is its command and what it wrote to stderr."""


def run(*command: str, stdin: str | None = None, timeout_seconds: float = 120) -> str:
    """Runs a program and gives what it wrote to stdout.

    Raises:
        ProgramFailedError: It ended with another code than 0, or not in time.
    """
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramFailedError(f"{shown}: no end after {timeout_seconds:.0f} s") from error
    if done.returncode:
        raise ProgramFailedError(f"{shown}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl bound to one kubeconfig, and to a namespace where one is named."""

    program: str
    kubeconfig: Path
    namespace: str = "default"

    def within(self, namespace: str) -> Self:
        """The same for another namespace."""
        return replace(self, namespace=namespace)

    def run(self, *arguments: str, stdin: str | None = None, timeout_seconds: float = 120) -> str:
        """Runs one kubectl command and gives its output; errors as `run` above."""
        return run(*self._command(*arguments), stdin=stdin, timeout_seconds=timeout_seconds)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """One object; none if there is none."""
        text = self.run("get", kind, name, "--ignore-not-found", "--output=json")
        found: dict[str, Any] | None = json.loads(text) if text.strip() else None
        return found

    def find(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """All objects of a kind in the namespace, or those with the labels."""
        text = self.run("get", kind, f"--selector={selector}", "--output=json")
        items: list[dict[str, Any]] = json.loads(text)["items"]
        return items

    def apply(self, *manifests: Manifest) -> None:
        """Makes the objects so, by server-side apply as a person would."""
        documents = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.run("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=documents)

    def make_namespace(self, name: str) -> None:
        """Makes a namespace that takes only pods of Kubernetes' strictest standard."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})

    def forward(self, target: str, port: int | str) -> AbstractContextManager[int]:
        """Leads a port of 127.0.0.1 to `target` (such as `service/fraud`) while the block runs."""
        return self._listening("port-forward", "--address=127.0.0.1", target, f":{port}")

    def serve_api(self) -> AbstractContextManager[int]:
        """Answers the API server's paths on a port of 127.0.0.1 while the block runs.

        For who looks several times a second: each call of kubectl costs a tenth of a second of CPU.
        """
        return self._listening("proxy", "--address=127.0.0.1", "--port=0")

    @contextmanager
    def _listening(self, *arguments: str) -> Iterator[int]:
        command = self._command(*arguments)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout
            try:
                line = process.stdout.readline()
                match = re.search(r"127\.0\.0\.1:(\d+)", line)
                if match is None:
                    raise ProgramFailedError(f"{' '.join(command)}: {line.strip()}{process.stdout.read()}")
                # It may write a line a connection: without a reader, the pipe fills and it stands still.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield int(match[1])
            finally:
                process.terminate()

    @contextmanager
    def follow(self, kind: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Every state of the namespace's objects of a kind, from now on, for as long as the block runs."""
        command = self._command("get", kind, "--watch", '--output=jsonpath={@}{"\\n"}')
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout
            try:
                yield map(json.loads, process.stdout)
            finally:
                process.terminate()

    def _command(self, *arguments: str) -> list[str]:
        return [self.program, f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *arguments]
