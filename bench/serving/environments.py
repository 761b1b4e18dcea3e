"""A virtual environment for each server, from its lock, kept with what else this repository builds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cluster import cache
from cluster.steps import step
from locks.uv import LOCK, uv


def programs_of(environment: str) -> Path:
    """The folder of an environment's programs, made at the first call. Empty: this checkout's own.

    Raises:
        subprocess.CalledProcessError: It can't be installed here.
    """
    if not environment:
        return Path(sys.executable).parent
    lock = LOCK.with_name(f"bench-{environment}.txt")
    folder = cache.ROOT / "bench" / f"{environment}-{cache.digest_of(lock)}"
    if not folder.is_dir():
        with step(f"install {environment}") as this, cache.making(folder) as partial:
            # Relocatable: the folder gets its name once it is whole.
            this.run(uv(), "venv", "-q", "--relocatable", f"--python={sys.executable}", partial)
            install = (uv(), "pip", "install", "-q", f"--python={partial / 'bin/python'}")
            this.run(*install, "--require-hashes", "--no-deps", "-r", lock)
        cache.discard_others(folder, f"{environment}-*")
    return folder / "bin"


def version_in(programs: Path, package: str) -> str:
    """The version of a package in an environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([programs / "python", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
