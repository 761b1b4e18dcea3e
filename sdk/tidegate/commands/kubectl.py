"""The user's own kubectl: what it reads, as JSON, with the login and the context that it is set up with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

Body = Mapping[str, Any]
"""An object as kubectl prints it."""
Command = TypeVar("Command", bound=Callable[..., Any])

MODEL_VERSIONS: Final = "modelversions.tidegate.io"
MODEL_DEPLOYMENTS: Final = "modeldeployments.tidegate.io"
CONTROLLER_REVISIONS: Final = "controllerrevisions.apps"

# What Kubernetes can call an object; all else would be an option of kubectl's, or a mistake.
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def takes_cluster(command: Command) -> Command:
    """Adds the options with which kubectl is told where to look."""
    namespace = click.option("-n", "--namespace", help="By default the one that kubectl is set to.")
    context = click.option("--context", help="Of the kubeconfig; by default the current one.")
    return namespace(context(command))


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl in one namespace of one context."""

    namespace: str | None = None
    """None: the one that kubectl is set to."""
    context: str | None = None
    """None: the current one."""

    def get(self, kind: str, name: str) -> Body | None:
        """One object; none if there is none."""
        found = self.get_all(kind, name)
        return found[0] if found else None

    def get_all(self, kind: str, *names: str) -> list[Body]:
        """The objects of these names, as far as they are there."""
        return (
            self._read(kind, *(require_name(name) for name in names), "--ignore-not-found") if names else []
        )

    def find(self, kind: str, selector: str) -> list[Body]:
        """The objects with these labels."""
        return self._read(kind, f"--selector={selector}")

    def patch(self, kind: str, name: str, change: Body, *, dry_run: bool) -> None:
        """Merges a change into an object; a dry run asks the API server whether it would take it."""
        how = ["--dry-run=server"] if dry_run else []
        self._run("patch", kind, require_name(name), "--type=merge", f"--patch={json.dumps(change)}", *how)

    def say_place(self) -> str:
        """Where it looks, for a sentence on what is not there."""
        namespace = (
            f"namespace {self.namespace}" if self.namespace else "the namespace that kubectl is set to"
        )
        return f"in {namespace}" + (f" of context {self.context}" if self.context else "")

    def _read(self, kind: str, *arguments: str) -> list[Body]:
        text = self._run("get", kind, *arguments, "--output=json")
        if not text.strip():
            return []
        document = json.loads(text)
        items: list[Body] = document["items"] if document.get("kind") == "List" else [document]
        return items

    def _run(self, *arguments: str) -> str:
        """What kubectl wrote to stdout. Its stderr is the user's: a login plugin may ask there for a code."""
        program = shutil.which("kubectl")
        if program is None:
            raise click.ClickException(
                "this command reads the cluster by kubectl, which is not on the PATH: install it, and try "
                "`kubectl get modelversions`"
            )
        where = {"--namespace": self.namespace, "--context": self.context}
        options = [f"{option}={value}" for option, value in where.items() if value]
        done = subprocess.run(  # noqa: S603 - the user's own kubectl, with names that were checked
            [program, *arguments, *options], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise click.ClickException(
                f"kubectl {arguments[0]} {arguments[1]} ended with code {done.returncode}; what it said stands above"
            )
        return done.stdout


def require_name(name: str) -> str:
    """Gives a name that an object can have in a cluster.

    Raises:
        click.ClickException: It can't.
    """
    if not _NAME.fullmatch(name):
        raise click.ClickException(f"{name[:100]!r} is no name of an object in a cluster, such as fraud-7")
    return name
