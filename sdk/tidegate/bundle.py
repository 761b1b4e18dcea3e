"""The bundle: an immutable folder of files, listed with their hashes in `tidegate.json`.

A bundle's digest is the SHA-256 of `tidegate.json`; since that file lists the SHA-256 of every other one, the
digest fixes every byte that a predictor loads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

MANIFEST_NAME = "tidegate.json"
MODEL_NAME = "model.onnx"
SIGNATURE_NAME = "signature.json"
BASELINE_NAME = "baseline.json"
GOLDEN_NAME = "golden.json"

# A manifest lists a handful of files. Without a bound, a hostile one of a gigabyte would be parsed before its
# digest could be compared.
MANIFEST_MAX_BYTES = 1 << 20

# No separators, no leading dot: a name can then neither leave the folder nor hide in it.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a bundle: what its bytes must be."""

    sha256: str
    """64 lower-case hexadecimal digits."""
    size: int
    """In bytes."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `tidegate.json` says."""

    model: str
    """The model's name; a ModelDeployment serves only versions of one model."""
    files: dict[str, File]
    """By file name. Names are plain: no folders, so nothing can be written outside the bundle."""
    created_by: str
    """The program that wrote it, such as `tidegate 0.1.0`."""
    format: Literal["tidegate.io/bundle/v1alpha1"] = "tidegate.io/bundle/v1alpha1"


def manifest_digest(manifest: bytes) -> str:
    """Gives the digest of a bundle from the bytes of its `tidegate.json`."""
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def write_bundle(folder: Path, files: Mapping[str, bytes], *, model: str, created_by: str) -> str:
    """Writes a new bundle; gives its digest.

    The manifest comes last, so that a folder that has one is whole. A bundle is immutable: a folder that already
    holds other files is refused, while writing the same bundle again changes nothing.

    Raises:
        FileExistsError: The folder holds something else.
    """
    manifest = msgspec.json.format(
        msgspec.json.encode(
            Manifest(
                model=model,
                files={
                    name: File(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
                    for name, content in sorted(files.items())
                },
                created_by=created_by,
            ),
            order="deterministic",
        ),
        indent=2,
    )
    digest = manifest_digest(manifest)
    if folder.exists() and any(folder.iterdir()):
        if not verify_bundle(folder, digest=digest):
            return digest
        raise FileExistsError(
            f"{folder} is not empty, and bundles never change; give a folder that doesn't exist yet"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST_NAME).write_bytes(manifest)
    return digest


def read_manifest(content: bytes, digest: str | None = None) -> Manifest:
    """Reads `tidegate.json`, after its bytes were compared with `digest` (none: they are taken as they are).

    Raises:
        ValueError: One sentence on what is wrong with it.
    """
    if len(content) > MANIFEST_MAX_BYTES:
        raise ValueError(f"{MANIFEST_NAME} has {len(content)} bytes, at most {MANIFEST_MAX_BYTES} are read")
    found = manifest_digest(content)
    if digest is not None and found != digest:
        raise ValueError(f"{MANIFEST_NAME} has digest {found}, but {digest} was asked for")
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{MANIFEST_NAME} can't be read: {error}") from error
    for name in manifest.files:
        if not _PLAIN_NAME.fullmatch(name) or name == MANIFEST_NAME:
            raise ValueError(f"{MANIFEST_NAME} lists {name!r}, but only plain file names are allowed")
    return manifest


def verify_bundle(folder: Path, digest: str | None = None) -> tuple[str, ...]:
    """Gives what is wrong with a bundle on disk, one sentence a file; empty: it is what was built.

    Args:
        folder: The bundle.
        digest: What `tidegate.json` must hash to; none compares the files with the manifest only.
    """
    path = folder / MANIFEST_NAME
    if path.is_symlink() or not path.is_file():
        return (f"{folder} is no bundle: it has no file {MANIFEST_NAME}",)
    try:
        # One byte more than allowed is enough to see that it is too large.
        with path.open("rb") as file:
            manifest = read_manifest(file.read(MANIFEST_MAX_BYTES + 1), digest)
    except ValueError as error:
        return (str(error),)
    wrong = [problem for name, file in manifest.files.items() if (problem := _problem(folder / name, file))]
    listed = {MANIFEST_NAME, *manifest.files}
    surplus = sorted(entry.name for entry in folder.iterdir() if entry.name not in listed)
    return (*wrong, *(f"{name} is in the bundle, but {MANIFEST_NAME} doesn't list it" for name in surplus))


def _problem(path: Path, file: File) -> str | None:
    if path.is_symlink():
        return f"{path.name} is a symbolic link, but a bundle holds plain files only"
    if not path.is_file():
        return f"{path.name} is missing, but {MANIFEST_NAME} lists it"
    size = path.stat().st_size
    if size != file.size:
        return f"{path.name} has {size} bytes, but {MANIFEST_NAME} says {file.size}"
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != file.sha256:
        return f"{path.name} has SHA-256 {found}, but {MANIFEST_NAME} says {file.sha256}"
    return None
