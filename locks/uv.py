"""uv in a locked version, from the package index that pip is set up for, in a virtual environment of its own."""

import sys
from pathlib import Path

from cluster import cache
from cluster.steps import step

LOCK = Path(__file__).parent / "uv.txt"


def uv() -> Path:
    """The path of the uv program; the first call installs it."""
    folder = cache.ROOT / "uv" / cache.digest_of(LOCK)
    if not folder.is_dir():
        with step("install uv", limit_seconds=300) as this, cache.making(folder) as partial:
            this.run(sys.executable, "-m", "venv", partial)
            this.run(partial / "bin/python", "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK)
        cache.discard_others(folder, "*")
    return folder / "bin/uv"
