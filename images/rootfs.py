"""What a base image keeps of a root file system: libraries, Python, certificates, names; no other program at all."""

import io
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

KEPT = re.compile(
    "|".join(
        (
            r"(bin|sbin|lib|lib64)",  # links into usr/
            r"usr/(local/)?bin/python3[.0-9]*",
            # Shared libraries and their loader; not gconv, perl, PAM and the like, which lie in folders of their own.
            r"(usr/)?(local/)?lib(64)?/([^/]+-linux-gnu/)?[^/]+\.so[.0-9]*",
            r"usr/(local/)?lib/python3\.\d+/(?!(test|idlelib|ensurepip|tkinter|turtledemo|pydoc_data|site-packages)/).+",
            r"etc/ld\.so\.(cache|conf|conf\.d/.+)",
            r"etc/(debian_version|localtime|mime\.types|nsswitch\.conf|os-release|protocols|services|timezone)",
            r"etc/(python3[^/]*/.+|ssl/openssl\.cnf|ssl/certs/ca-certificates\.crt)",
            r"usr/lib/(os-release|ssl/(cert\.pem|certs|openssl\.cnf))",
            r"usr/share/zoneinfo/.+",
            r"usr/share/(common-licenses/.+|doc/[^/]+(/copyright)?)",
        )
    )
)
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/:/sbin/nologin\ntidegate:x:65532:65532::/:/sbin/nologin\n",
    "etc/group": "root:x:0:\ntidegate:x:65532:\n",
}
_STATUS = "var/lib/dpkg/status"
_OWNED = re.compile(r"var/lib/dpkg/info/([^:]+)(:.*)?\.list")


def strip(source: Path, target: Path) -> None:
    """Copies of a root file system, a tar, what is kept; and notes which packages that is, where scanners look."""
    with tarfile.open(source) as whole, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as kept:
        members = {_name(member): member for member in whole.getmembers()}
        names = [name for name, member in members.items() if not member.isdir() and KEPT.fullmatch(name)]
        folders = {
            str(parent) for name in (*names, "tmp/x") for parent in Path(name).parents
        } & members.keys()
        for name in sorted((*folders, *names)):
            member = members[name]
            if name.endswith(".py"):
                member.mode &= ~0o111  # the standard library has scripts in it
            kept.addfile(member, whole.extractfile(member) if member.isreg() else None)
        notes = {
            f"{_STATUS}.d/{package}": text for package, text in _find_packages(whole, members, set(names))
        }
        for name, text in {**ACCOUNTS, **notes}.items():
            _add(kept, name, text.encode())


def _find_packages(
    whole: tarfile.TarFile, members: dict[str, tarfile.TarInfo], names: set[str]
) -> Iterator[tuple[str, str]]:
    """The packages of which more than the licence is kept, each with what dpkg says of it."""
    owners = {
        found[1]
        for name in members
        if (found := _OWNED.fullmatch(name)) and _owns(_read(whole, members[name]).splitlines(), names)
    }
    status = _read(whole, members[_STATUS]) if _STATUS in members else ""
    for stanza in status.split("\n\n"):
        found = re.search(r"^Package: (\S+)$", stanza, re.MULTILINE)
        if found and found[1] in owners:
            yield found[1], stanza.strip() + "\n"


def _owns(paths: Iterable[str], names: set[str]) -> bool:
    # A package may say /lib/… for what lies in /usr/lib/…
    found = {path.lstrip("/") for path in paths if "/doc/" not in path}
    return bool((found | {f"usr/{path}" for path in found}) & names)


def _read(whole: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    content = whole.extractfile(member)
    return content.read().decode() if content else ""


def _add(kept: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    kept.addfile(member, io.BytesIO(content))


def _name(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./").rstrip("/")
