"""The images that ours stand on: out of published ones where they can be pulled, else out of Debian packages.

Of either only that is taken which a program of ours needs (images/rootfs.py): no shell, no package manager.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster import cache, host
from cluster.registry import forget_older, is_here, pulled
from cluster.steps import Step, output_of, step, succeeds

from images import rootfs

HERE = Path(__file__).parent
SUITE = "trixie"
# Without this, each start compiles the standard library, half a second on a quiet core.
COMPILE = (
    "import compileall, py_compile, sysconfig; compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=2, "
    "invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)"
)


@dataclass(frozen=True, slots=True)
class Base:
    """A published image, and the Debian packages that stand in for it."""

    published: str
    packages: tuple[str, ...]
    has_python: bool

    @property
    def name(self) -> str:
        """What files and images of it are called."""
        return f"base-{self.published.replace(':', '-')}"

    @property
    def local(self) -> str:
        """The image that we make of it."""
        recipe = (HERE / "bases.py", HERE / "rootfs.py", HERE / "record-packages")
        return f"tidegate/{self.name}:{cache.digest_of(*recipe)}"


PYTHON = Base(
    "python:3.13-slim",
    # onnxruntime links to libstdc++; object stores are reached by HTTPS, hence certificates.
    ("python3", "libstdc++6", "ca-certificates", "tzdata", "netbase", "base-files"),
    has_python=True,
)
GLIBC = Base("debian:trixie-slim", ("libc6", "tzdata", "netbase", "base-files"), has_python=False)


def prepare(base: Base) -> str:
    """The name of an image that Docker has and that can stand as this base."""
    if is_here(base.local):
        return base.local
    archive = cache.ROOT / "bases" / f"{base.local.split('/')[1].replace(':', '-')}.tar"
    if not archive.is_file():
        whole = base.published if pulled(base.published) else _build_whole(base)
        with step(base.name) as this, cache.making(archive) as partial:
            _export(this, whole, partial.with_suffix(".whole"), compiled=base.has_python)
            rootfs.strip(partial.with_suffix(".whole"), partial)
            cache.discard(partial.with_suffix(".whole"))
        if whole != base.published:
            output_of("docker", "image", "rm", whole)
    output_of("docker", "import", "-c", "ENV PATH=/usr/local/bin:/usr/bin:/bin", archive, base.local)
    forget_older(base.local)
    cache.discard_others(archive, f"{base.name}-*")
    return base.local


def _build_whole(base: Base) -> str:
    """What the published image would hold, and more, out of Debian packages that are unpacked and not configured."""
    host.require_root("Building a base image, which is done where it can't be pulled,", "`sudo make images`")
    if shutil.which("mmdebstrap") is None:
        host.install(
            "mmdebstrap", why="mmdebstrap is missing", mend="it is a Debian tool: build on Debian or Ubuntu"
        )
    whole = f"tidegate/whole-{base.name}"
    archive = cache.ROOT / "bases" / f"{base.name}.whole"
    with step(f"{base.name} from packages") as this, cache.making(archive) as partial:
        root = partial.with_suffix(".root")
        cache.discard(root)
        hook = f'--extract-hook={HERE / "record-packages"} "$1"'
        packages = f"--include={','.join(base.packages)}"
        this.run("mmdebstrap", "--variant=extract", packages, hook, SUITE, root)
        _bundle_certificates(root)
        this.run("tar", "-C", root, "--exclude=./dev/*", "--numeric-owner", "-cf", partial, ".")
        cache.discard(root)
        this.run("docker", "import", partial, whole)
    cache.discard(archive)
    return whole


def _bundle_certificates(root: Path) -> None:
    """Does by hand what the package's script would have done."""
    certificates = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    if certificates:
        bundle = root / "etc/ssl/certs/ca-certificates.crt"
        bundle.write_text("".join(certificate.read_text() for certificate in certificates))


def _export(this: Step, image: str, target: Path, *, compiled: bool) -> None:
    """The file system of an image as a tar, with its Python's own modules compiled."""
    container = f"tidegate-export-{target.name.split('.')[0]}"
    succeeds("docker", "rm", "-f", container)
    command = ("python3", "-c", COMPILE) if compiled else ("never-run",)
    this.run("docker", "create", f"--name={container}", "--network=none", "--user=0", image, *command)
    if compiled:
        this.run("docker", "start", "--attach", container)
    this.run("docker", "export", f"--output={target}", container)
    this.run("docker", "rm", container)
