"""What is taken of a root file system: what Python and Envoy need, and no program that somebody could make use of."""

import io
import tarfile

import pytest
from images import rootfs

STATUS = "\n\n".join(
    f"Package: {name}\nStatus: install ok installed\nVersion: 1" for name in ("bash", "libssl3t64", "zlib1g")
)
OWNED = {
    "bash": "/usr/bin/bash\n/usr/share/doc/bash/copyright",
    "libssl3t64:amd64": "/usr/lib/x86_64-linux-gnu/libssl.so.3",
    # Written before /lib became a link to /usr/lib.
    "zlib1g": "/lib/x86_64-linux-gnu/libz.so.1.3.1",
}
FILES = {
    "usr/bin/bash": "",
    "usr/bin/python3.13": "python",
    "usr/lib/x86_64-linux-gnu/libssl.so.3": "",
    "usr/lib/x86_64-linux-gnu/libz.so.1.3.1": "",
    "usr/share/doc/bash/copyright": "GPL",
    "etc/passwd": "everybody",
    "var/lib/dpkg/status": STATUS,
    **{f"var/lib/dpkg/info/{name}.list": paths for name, paths in OWNED.items()},
}


@pytest.fixture
def stripped(tmp_path):
    """The content of each file that is left, by name."""
    whole, kept = tmp_path / "whole.tar", tmp_path / "kept.tar"
    with tarfile.open(whole, "w") as tar:
        for folder in ("./usr/", "./usr/bin/", "./usr/sbin/", "./tmp/"):
            tar.addfile(_member(folder, type=tarfile.DIRTYPE, mode=0o1777 if folder == "./tmp/" else 0o755))
        for name, text in FILES.items():
            tar.addfile(_member(f"./{name}", size=len(text), mode=0o755), io.BytesIO(text.encode()))
        tar.addfile(_member("./usr/bin/python3", type=tarfile.SYMTYPE, linkname="python3.13"))
        tar.addfile(_member("./bin", type=tarfile.SYMTYPE, linkname="usr/bin"))
    rootfs.strip(whole, kept)
    with tarfile.open(kept) as tar:
        return {m.name.removeprefix("./"): (m, m.isreg() and tar.extractfile(m).read().decode()) for m in tar}


def _member(name, **fields):
    member = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def test_python_stays_and_the_shell_goes_but_not_its_licence(stripped):
    assert sorted(name for name in stripped if name.startswith("usr/bin/")) == [
        "usr/bin/python3",
        "usr/bin/python3.13",
    ]
    assert stripped["usr/share/doc/bash/copyright"][1] == "GPL"


def test_links_and_the_folders_on_the_way_stay_as_they_were(stripped):
    assert stripped["bin"][0].linkname == "usr/bin"
    assert stripped["tmp"][0].mode == 0o1777
    assert "usr/sbin" not in stripped


def test_scanners_find_the_packages_of_which_something_is_left(stripped):
    noted = {name.rpartition("/")[2]: text for name, (_, text) in stripped.items() if "status.d" in name}
    assert noted == {
        "libssl3t64": "Package: libssl3t64\nStatus: install ok installed\nVersion: 1\n",
        "zlib1g": "Package: zlib1g\nStatus: install ok installed\nVersion: 1\n",
    }


def test_the_account_that_everything_runs_as_has_a_name_and_no_shell(stripped):
    assert stripped["etc/passwd"][1].splitlines()[1] == "tidegate:x:65532:65532::/:/sbin/nologin"


@pytest.mark.parametrize(
    "name",
    [
        "usr/local/bin/python3.13",
        "usr/local/lib/libpython3.13.so.1.0",
        "usr/local/lib/python3.13/asyncio/base_events.py",
        "usr/local/lib/python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so",
        "usr/lib/aarch64-linux-gnu/libc.so.6",
        "lib/ld-linux-aarch64.so.1",
        "etc/ld.so.cache",
        "usr/share/zoneinfo/Europe/Berlin",
    ],
)
def test_what_a_published_python_needs_stays(name):
    assert rootfs.KEPT.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    [
        "usr/bin/apt-get",
        "usr/local/bin/pip3",
        "usr/local/lib/python3.13/ensurepip/__init__.py",
        "usr/local/lib/python3.13/site-packages/pip/__main__.py",
        "usr/lib/x86_64-linux-gnu/perl-base/socket.so",
        "usr/lib/apt/methods/http",
        "usr/sbin/ldconfig",
        "var/lib/apt/lists/x",
        "etc/shadow",
    ],
)
def test_what_nobody_needs_goes(name):
    assert not rootfs.KEPT.fullmatch(name)
