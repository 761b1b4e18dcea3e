"""Builds the Go programs of the cluster, each from its own module with locked versions in `programs/`."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from cluster import cache
from cluster.steps import Refusal, output_of, step

SOURCES = Path(__file__).parent / "programs"
GO_CACHE = cache.ROOT / "go-build"
# Kubernetes takes its version from the linker; kubeadm refuses to work without one.
VERSION_VARIABLES = "k8s.io/component-base/version"
MENDS_GO = "install Go 1.25 or newer from https://go.dev/dl"


MODULES = {"kind": "sigs.k8s.io/kind", "kubernetes": "k8s.io/kubernetes", "kwok": "sigs.k8s.io/kwok"}


def version_of(name: str, sources: Path = SOURCES) -> str:
    """The version, such as `1.35.0`, that the module of this program locks."""
    module, locked = MODULES[name], sources / name / "go.mod"
    found = re.search(rf"\b{re.escape(module)} v(\S+)", locked.read_text())
    if found is None:
        raise Refusal(f"{locked} does not require {module}: restore it from git")
    return found[1]


def folder_of(source: Path) -> Path:
    """Where the binaries of a Go module lie once they are built."""
    return cache.ROOT / "bin" / f"{source.name}-{cache.digest_of(source)}"


def build(source: Path, *, limit_seconds: float = 1800) -> Path:
    """Builds the programs of a Go module (its tools if it declares some, else its own) unless that was done."""
    folder = folder_of(source)
    if folder.is_dir():
        return folder
    require_go()
    pattern = "tool" if re.search(r"^tool\b", (source / "go.mod").read_text(), re.MULTILINE) else "."
    with step(f"build {source.name}", limit_seconds=limit_seconds) as this, cache.making(folder) as partial:
        this.run("go", "mod", "download", cwd=source, env=_environment())
        packages = subprocess.check_output(
            ["go", "list", "-deps", pattern], cwd=source, env=_environment(), text=True
        )
        total, before = len(packages.split()), len(this.lines())
        this.note = lambda: f"{len(this.lines()) - before} of {total} packages"
        partial.mkdir()
        command = ["go", "build", "-v", "-ldflags", _linker_flags(source.name), "-o", f"{partial}/", pattern]
        this.run(*command, cwd=source, env=_environment())
    cache.discard_others(folder, f"{source.name}-*")
    return folder


def _environment() -> dict[str, str]:
    flags = {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly", "GOWORK": "off"}
    return {**os.environ, **flags, "GOCACHE": str(GO_CACHE)}


def _linker_flags(name: str) -> str:
    if name != "kubernetes":
        return "-s -w"
    version = version_of(name)
    major, minor, _ = version.split(".")
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X {VERSION_VARIABLES}.{key}={value}" for key, value in values.items())])


def require_go() -> None:
    """Refuses to go on where Go is missing or older than the modules ask for."""
    if shutil.which("go") is None:
        raise Refusal(f"Go is missing, and no finished program is in the cache: {MENDS_GO}.")
    found = re.search(r"go(\d+)\.(\d+)", output_of("go", "version"))
    if found and (int(found[1]), int(found[2])) < (1, 25):
        raise Refusal(
            f"Go {found[1]}.{found[2]} is too old for Kubernetes {version_of('kubernetes')}: {MENDS_GO}."
        )


def kind() -> Path:
    """Kind in the locked version; the user's own only where Go is missing and that version is what they have."""
    on_path = shutil.which("kind")
    if shutil.which("go") is None and on_path and f"v{version_of('kind')}" in output_of(on_path, "version"):
        return Path(on_path)
    return build(SOURCES / "kind", limit_seconds=600) / "kind"


def forget_go_cache_where_disk_is_short(*, wanted_gigabytes: int = 20) -> None:
    """Removes the compiled packages, several gigabytes, which only a change of versions would use again."""
    if GO_CACHE.is_dir() and shutil.disk_usage(cache.ROOT).free < wanted_gigabytes * 10**9:
        shutil.rmtree(GO_CACHE)
