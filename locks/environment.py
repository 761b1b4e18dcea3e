"""Makes the checkout's own virtual environment, `.venv`, from its lock: `python3 -m locks.environment`."""

import sys
from collections.abc import Sequence

from cluster import cache
from cluster.steps import ending_in_one_sentence, step

from locks.uv import LOCK, uv

FOLDER = cache.REPOSITORY / ".venv"


def main(_arguments: Sequence[str]) -> None:
    """Installs what the lock names and this checkout, in place; what else was put there stays."""
    python = FOLDER / "bin/python"
    with step("virtual environment", limit_seconds=900) as this:
        if not python.exists():
            this.run(uv(), "venv", "-q", f"--python={sys.executable}", FOLDER)
        install = (uv(), "pip", "install", "-q", f"--python={python}")
        this.run(*install, "--require-hashes", "--no-deps", "-r", LOCK.with_name("dev.txt"))
        # Without isolation: the build backend is locked as well, and nothing is fetched that has no hash.
        this.run(*install, "--no-deps", "--no-build-isolation", "-e", cache.REPOSITORY)
    (FOLDER / "installed").touch()


ending_in_one_sentence(main)
