"""The images hold the programs that they are for, and none that somebody who broke in could make use of."""

from __future__ import annotations

import subprocess
import tarfile

import pytest
from demo.ground import Ground

PROGRAMS = {
    "TIDEGATE_OPERATOR_IMAGE": {"python3.13"},
    "TIDEGATE_PREDICTOR_IMAGE": {"python3.13"},
    "TIDEGATE_ROUTER_IMAGE": {"envoy", "drain"},
    "TIDEGATE_STORE_IMAGE": {"versitygw"},
}


@pytest.mark.parametrize("image", PROGRAMS)
def test_no_other_program_is_in_the_image(ground: Ground, image: str) -> None:
    """No shell and no package manager: nothing executable but shared libraries and what is named here."""
    assert read_programs(ground.images[image]) == PROGRAMS[image]


def read_programs(image: str) -> set[str]:
    container = docker("create", image, "never-run").decode().strip()
    try:
        with (
            subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as files,
        ):
            return {member.name.rpartition("/")[2] for member in files if is_program(member)}
    finally:
        docker("rm", container)


def is_program(member: tarfile.TarInfo) -> bool:
    """Whether a file can be run; Docker's own /dev/console and /.dockerenv are empty."""
    name = member.name.rpartition("/")[2]
    is_library = name.endswith(".so") or ".so." in name
    return member.isreg() and member.size > 0 and bool(member.mode & 0o111) and not is_library


def docker(*arguments: str) -> bytes:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True).stdout
