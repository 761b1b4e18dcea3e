"""Where everything built lies: one folder outside the checkout, each thing keyed by what it is built from."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def _root() -> Path:
    if chosen := os.environ.get("TIDEGATE_CACHE"):
        return Path(chosen).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate"


ROOT = _root()
LOGS = ROOT / "logs"
KUBECONFIG = ROOT / "kubeconfig"
CLUSTER_MARK = ROOT / "cluster-mark"
CLUSTER_ENV = ROOT / "cluster.env"
IMAGES_ENV = ROOT / "images.env"


def digest_of(*paths: Path) -> str:
    """Twelve hex digits that change with any name, content or executable bit under `paths`."""
    digest = hashlib.sha256()
    for path in paths:
        for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            if "__pycache__" in file.parts:
                continue
            name = file.relative_to(path.parent).as_posix()
            digest.update(f"{name}\0{os.access(file, os.X_OK)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def making(target: Path) -> Iterator[Path]:
    """A place beside `target` that becomes it when all went well; without this, half a build would count as one."""
    partial = target.with_name(target.name + ".partial")
    discard(partial)
    target.parent.mkdir(parents=True, exist_ok=True)
    yield partial
    discard(target)
    partial.rename(target)


def discard(path: Path) -> None:
    """Removes a file or a folder that may not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def discard_others(kept: Path, pattern: str) -> None:
    """Removes what older versions left beside `kept`."""
    for old in kept.parent.glob(pattern):
        if old != kept:
            discard(old)


def forget() -> None:
    """Removes what was built. Each part by its name: the folder may be one that the user keeps other things in."""
    built = ("bin", "bases", "bench", "node", "packages", "contexts", "uv", "go-build", "logs", "kind.yaml")
    for part in built:
        discard(ROOT / part)
    discard(IMAGES_ENV)


def write_env(target: Path, values: dict[str, str]) -> None:
    """Writes `KEY=value` lines that a shell and make read alike."""
    with making(target) as partial:
        partial.write_text("".join(f"{key}={value}\n" for key, value in values.items()))


def read_env(source: Path) -> dict[str, str]:
    """The values of `write_env`; empty where the file is not there yet."""
    if not source.is_file():
        return {}
    return dict(line.split("=", 1) for line in source.read_text().splitlines() if "=" in line)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Waits until no other process builds into this cache."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with (ROOT / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another `make` that is building into the same cache", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
