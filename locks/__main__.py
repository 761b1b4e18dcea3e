"""Writes the locks anew, or says which are older than pyproject.toml: `python3 -m locks [--check]`."""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import cache
from cluster.steps import Refusal, ending_in_one_sentence, step

from locks.uv import uv

FOLDER = Path(__file__).parent
FLAGS = ("--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header")
INPUTS = "# made from these parts of pyproject.toml: sha256:"


@dataclass(frozen=True, slots=True)
class Lock:
    """One file of requirements: which parts of pyproject.toml it resolves, for which Python."""

    name: str
    python: str
    extras: tuple[str, ...] = ()
    group: str = ""
    alone: bool = False
    """Whether the group stands without the project's own dependencies."""

    @property
    def path(self) -> Path:
        """Where the lock lies."""
        return FOLDER / f"{self.name}.txt"


LOCKS = (
    Lock("operator", "3.13", extras=("operator",)),
    # A pod that holds gates runs the same image: what is measured is what serves.
    Lock("predictor", "3.13", extras=("serving", "check")),
    Lock("router", "3.13", group="router", alone=True),
    Lock("dev", "3.11", extras=("package", "sign", "push", "serving", "check", "operator"), group="dev"),
    *(
        Lock(f"bench-{name}", "3.11", group=f"bench-{name}", alone=True)
        for name in ("bentoml", "fastapi", "kserve", "litserve", "mlserver")
    ),
)


def main(arguments: Sequence[str]) -> None:
    """Checks without a network, by a digest in each lock's first lines; resolving again would need an index."""
    project = tomllib.loads((cache.REPOSITORY / "pyproject.toml").read_text())
    if list(arguments) == ["--check"]:
        _check(project)
    else:
        for lock in LOCKS:
            _compile(lock, project)


def _check(project: dict[str, Any]) -> None:
    stale = [lock.path.name for lock in LOCKS if not _is_fresh(lock, project)]
    if stale:
        raise Refusal(
            f"pyproject.toml asks for other packages than locks/{', locks/'.join(stale)}: `make locks`."
        )


def _is_fresh(lock: Lock, project: dict[str, Any]) -> bool:
    return lock.path.is_file() and f"{INPUTS}{_digest(lock, project)}\n" in lock.path.read_text()


def _digest(lock: Lock, project: dict[str, Any]) -> str:
    table = project["project"]
    wanted = [] if lock.alone else [*table["dependencies"]]
    for extra in lock.extras:
        wanted += table["optional-dependencies"][extra]
    wanted += project["dependency-groups"].get(lock.group, [])
    return hashlib.sha256(json.dumps([lock.python, sorted(wanted)]).encode()).hexdigest()[:16]


def _compile(lock: Lock, project: dict[str, Any]) -> None:
    parts = [] if lock.alone else ["pyproject.toml"]
    parts += [f"--extra={extra}" for extra in lock.extras]
    parts += [f"--group={lock.group}"] if lock.group else []
    with step(f"lock {lock.name}") as this, cache.making(cache.ROOT / f"{lock.name}.lock") as partial:
        # What is locked stays as it is unless pyproject.toml forbids it: an update is a commit of its own.
        partial.write_text(lock.path.read_text() if lock.path.is_file() else "")
        target = (f"--python-version={lock.python}", "-o", partial)
        this.run(uv(), "pip", "compile", "--quiet", *parts, *FLAGS, *target, cwd=cache.REPOSITORY)
        header = f"# Written by `make locks`; never edited by hand.\n{INPUTS}{_digest(lock, project)}\n"
        lock.path.write_text(header + partial.read_text())


ending_in_one_sentence(main)
