"""The images that ours stand on: published ones where they can be pulled, else the same out of Debian packages.

Ours hold the packages named below and what these depend on, unpacked and not configured: no shell, no package
manager, a third of the published images' size.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster import cache, host
from cluster.registry import forget_older, is_here, pulled
from cluster.steps import step

SUITE = "trixie"
ACCOUNTS = {
    "passwd": "root:x:0:0:root:/:/sbin/nologin\ntidegate:x:65532:65532::/:/sbin/nologin\n",
    "group": "root:x:0:\ntidegate:x:65532:\n",
}


@dataclass(frozen=True, slots=True)
class Base:
    """A published image, and the Debian packages that stand in for it."""

    published: str
    packages: tuple[str, ...]

    @property
    def local(self) -> str:
        """The name of the image that we build in its place."""
        name = self.published.replace(":", "-")
        return f"tidegate/base-{name}:{cache.digest_of(Path(__file__))}"


PYTHON = Base(
    "python:3.13-slim",
    # onnxruntime links to libstdc++; object stores are reached by HTTPS, hence certificates.
    ("python3", "libstdc++6", "ca-certificates", "tzdata", "netbase", "base-files"),
)
GLIBC = Base("debian:trixie-slim", ("libc6", "tzdata", "netbase", "base-files"))


def prepare(base: Base) -> str:
    """The name of an image that Docker has and that can stand as this base."""
    if is_here(base.local):
        return base.local
    return base.published if pulled(base.published) else _build(base)


def _build(base: Base) -> str:
    archive = cache.ROOT / "bases" / f"{base.local.split('/')[1].replace(':', '-')}.tar"
    with step(f"base {base.local.split(':')[0].split('/')[1]}") as this:
        if not archive.is_file():
            _require_mmdebstrap()
            with cache.making(archive.with_suffix(".root")) as root:
                packages = ",".join(base.packages)
                this.run("mmdebstrap", "--variant=extract", f"--include={packages}", SUITE, root)
                _configure(root)
                if (root / "usr/bin/python3").exists():
                    # Without this, each start compiles the standard library, half a second on a quiet core.
                    compile_all = ("python3", "-m", "compileall", "-qq", "--invalidation-mode=unchecked-hash")
                    this.run("chroot", root, *compile_all, "/usr/lib/python3.13")
            with cache.making(archive) as partial:
                this.run("tar", "-C", archive.with_suffix(".root"), "--numeric-owner", "-cf", partial, ".")
            cache.discard(archive.with_suffix(".root"))
        path = "ENV PATH=/usr/local/bin:/usr/bin:/bin"
        this.run("docker", "import", "-c", path, archive, base.local)
    forget_older(base.local)
    cache.discard_others(archive, f"{archive.name.rsplit('-', 1)[0]}-*")
    return base.local


def _require_mmdebstrap() -> None:
    host.require_root("Building a base image, which is done where it can't be pulled,", "`sudo make images`")
    if shutil.which("mmdebstrap") is None:
        host.install(
            "mmdebstrap", why="mmdebstrap is missing", mend="it is a Debian tool: build on Debian or Ubuntu"
        )


def _configure(root: Path) -> None:
    """Does by hand the little that the packages' scripts would have done, and drops what has no use without them."""
    for name, content in ACCOUNTS.items():
        (root / "etc" / name).write_text(content)
    certificates = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    if certificates:
        bundle = root / "etc/ssl/certs/ca-certificates.crt"
        bundle.write_text("".join(certificate.read_text() for certificate in certificates))
    for unused in (
        "dev",
        "var/cache/apt",
        "var/lib/apt",
        "usr/share/man",
        "usr/share/locale",
        "usr/share/info",
    ):
        cache.discard(root / unused)
    for tool in ("dpkg*", "debconf*", "pygettext*", "pydoc*", "update-alternatives", "openssl", "perl*"):
        for program in (root / "usr/bin").glob(tool):
            cache.discard(program)
