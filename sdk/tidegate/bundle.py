"""The bundle: an immutable folder of files, listed with their hashes in `tidegate.json`.

A bundle's digest is the SHA-256 of `tidegate.json`; since that file lists the SHA-256 of every other one, the
digest fixes every byte that a predictor loads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

MANIFEST_NAME = "tidegate.json"
MODEL_NAME = "model.onnx"
SIGNATURE_NAME = "signature.json"
BASELINE_NAME = "baseline.json"
GOLDEN_NAME = "golden.json"
PROVENANCE_NAME = "provenance.json"
EXPECTATIONS_NAME = "expectations.json"
"""What the answers must do when a row changes; only where that was declared. It is for gates: predictors, older ones
too, fetch every file that is listed and read those that they know."""
SEAL_NAME = "model.sig"
"""Who vouches for the bundle; the only file that may lie there though the manifest doesn't list it, since it is made
after the manifest, and over it."""

# A seal takes some 3 KiB, with a chain of certificates up to 8; a ModelVersion carries it.
SEAL_MAX_BYTES = 1 << 16

# A manifest lists a handful of files. Without a bound, a hostile one of a gigabyte would be parsed before its
# digest could be compared.
MANIFEST_MAX_BYTES = 1 << 20

# No separators, no leading dot: a name can then neither leave the folder nor hide in it.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a bundle: what its bytes must be."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """64 lower-case hexadecimal digits."""
    size: Annotated[int, msgspec.Meta(ge=0)]
    """In bytes."""


class WrongDigest(ValueError):  # noqa: N818 - what it is
    """A manifest that is not the one that was asked for."""


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
        raise ValueError(f"{MANIFEST_NAME} has more than {MANIFEST_MAX_BYTES} bytes, and no more are read")
    found = manifest_digest(content)
    if digest is not None and found != digest:
        raise WrongDigest(f"{MANIFEST_NAME} has digest {found}, but {digest} was asked for")
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
        json.loads(content, object_pairs_hook=_once)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{MANIFEST_NAME} can't be read: {error}") from error
    _require_plain_names(manifest.files)
    return manifest


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of two equal keys one would win, and another reader might let the other win."""
    keys = Counter(key for key, _ in pairs)
    for key, count in keys.items():
        if count > 1:
            raise ValueError(f"it has the key {key[:100]!r} {count} times")
    return dict(pairs)


def _require_plain_names(names: Iterable[str]) -> None:
    folded: dict[str, str] = {}
    for name in names:
        if not _PLAIN_NAME.fullmatch(name) or name in {MANIFEST_NAME, SEAL_NAME}:
            raise ValueError(f"{MANIFEST_NAME} lists {name[:200]!r}, but only plain file names are allowed")
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise ValueError(
                f"{MANIFEST_NAME} lists {other!r} and {name!r}, which are one file where case doesn't count"
            )


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
    seal = link_problem(folder / SEAL_NAME)
    listed = {MANIFEST_NAME, SEAL_NAME, *manifest.files}
    surplus = sorted(entry.name for entry in folder.iterdir() if entry.name not in listed)
    return (
        *wrong,
        *((seal,) if seal else ()),
        *(f"{name} is in the bundle, but {MANIFEST_NAME} doesn't list it" for name in surplus),
    )


def _problem(path: Path, file: File) -> str | None:
    unplain = link_problem(path)
    if unplain is not None:
        return unplain
    if not path.is_file():
        return f"{path.name} is missing, but {MANIFEST_NAME} lists it"
    if (size := path.stat().st_size) != file.size:
        return size_problem(path.name, size, file)
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    return hash_problem(path.name, found, file)


# The sentences of the predictor too, which reads the files from elsewhere, and a piece at a time.


def link_problem(path: Path) -> str | None:
    """Says that a file is a link: it would lead out of the bundle, to what may be another file tomorrow."""
    return (
        f"{path.name} is a symbolic link, but a bundle holds plain files only" if path.is_symlink() else None
    )


def size_problem(name: str, size: int, file: File) -> str | None:
    """Says that a file has another size than the manifest says."""
    return f"{name} has {size} bytes, but {MANIFEST_NAME} says {file.size}" if size != file.size else None


def hash_problem(name: str, sha256: str, file: File) -> str | None:
    """Says that a file has other bytes than the manifest says."""
    if sha256 == file.sha256:
        return None
    return f"{name} has SHA-256 {sha256}, but {MANIFEST_NAME} says {file.sha256}"
