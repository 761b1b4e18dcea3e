"""A bundle is what was built, or verification says which file is not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tidegate.bundle import read_manifest, verify_bundle, write_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(
        tmp_path / "b", {"model.onnx": b"model", "a.json": b"{}"}, model="m", created_by="tidegate 1"
    )
    return tmp_path / "b"


def list_file(folder: Path, name: str) -> None:
    """Rewrites the manifest so that it lists one file more, as a hostile one would."""
    manifest = json.loads((folder / "tidegate.json").read_bytes())
    manifest["files"][name] = {"sha256": "0" * 64, "size": 1}
    (folder / "tidegate.json").write_text(json.dumps(manifest))


def test_a_bundle_as_written_is_fine(folder):
    digest = f"sha256:{hashlib.sha256((folder / 'tidegate.json').read_bytes()).hexdigest()}"
    assert verify_bundle(folder, digest) == ()


def test_another_digest_is_named_with_the_one_found(folder):
    (problem,) = verify_bundle(folder, "sha256:" + "0" * 64)
    assert problem.startswith("tidegate.json has digest sha256:")
    assert problem.endswith(f", but sha256:{'0' * 64} was asked for")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"MODEL", "model.onnx has SHA-256 "), (b"more", "model.onnx has 4 bytes, but tidegate.json says 5")],
)
def test_a_changed_file_is_named(folder, content, expected):
    (folder / "model.onnx").write_bytes(content)
    (problem,) = verify_bundle(folder)
    assert problem.startswith(expected)


def test_a_missing_file_is_named(folder):
    (folder / "a.json").unlink()
    assert verify_bundle(folder) == ("a.json is missing, but tidegate.json lists it",)


def test_a_file_too_many_is_named(folder):
    (folder / "extra.py").write_text("print('hello')")
    assert verify_bundle(folder) == ("extra.py is in the bundle, but tidegate.json doesn't list it",)


def test_a_symbolic_link_is_refused_though_its_bytes_are_right(folder, tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"model")
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(tmp_path / "elsewhere")
    assert verify_bundle(folder) == ("model.onnx is a symbolic link, but a bundle holds plain files only",)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", ".hidden", "", "tidegate.json", "a\\b"])
def test_names_that_leave_the_folder_are_refused(folder, name):
    list_file(folder, name)
    assert verify_bundle(folder) == (f"tidegate.json lists {name!r}, but only plain file names are allowed",)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    assert verify_bundle(tmp_path) == (f"{tmp_path} is no bundle: it has no file tidegate.json",)


def test_a_huge_manifest_is_not_parsed():
    with pytest.raises(ValueError, match="more than 1048576 bytes, and no more are read"):
        read_manifest(b" " * (1 << 20) + b"{}")


def test_a_manifest_of_another_format_is_refused():
    with pytest.raises(ValueError, match=r"tidegate\.json can't be read"):
        read_manifest(b'{"format": "other"}')
