"""git: which commit the code is at that trained a model, and who calls themselves what there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tidegate.provenance import Git

_SECONDS: Final = 30.0
_PERSON: Final = re.compile(r"(?P<name>.*) <(?P<mail>.*)> \d+ [+-]\d+")


def find_git(folder: Path) -> Git | None:
    """The commit that a folder is at; none where it is in no repository, or git is not installed.

    Dirty is what `git describe --dirty` calls so: tracked files with changes. Files that git does not know are not
    counted, since a bundle just written, say, is one of them.
    """
    commit = _ask(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return None
    top = Path(_ask(folder, "rev-parse", "--show-toplevel"))
    return Git(
        # Without a remote, the folder's own path would say more of this machine than of the code.
        repository=without_credentials(_ask(folder, "remote", "get-url", "origin")) or top.name,
        commit=commit,
        dirty=bool(_ask(folder, "status", "--porcelain", "--untracked-files=no")),
    )


def find_person(folder: Path) -> str:
    """Who would be the author of a commit; empty where git does not know."""
    found = _PERSON.fullmatch(_ask(folder, "var", "GIT_AUTHOR_IDENT"))
    return f"{found['name']} <{found['mail']}>" if found else ""


def without_credentials(url: str) -> str:
    """A remote's URL as it may be shown: CI systems put their tokens into it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _ask(folder: Path, *words: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        answer = subprocess.run(  # noqa: S603 - git, with words of ours
            [git, "-C", str(folder), *words], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
