"""Sealing a bundle on disk with a key of one's own, by the library `model-signing`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from model_signing import hashing, signing

from tidegate.bundle import MANIFEST_NAME, SEAL_NAME, manifest_digest
from tidegate.sealing.check import Unsealed, check_seal
from tidegate.sealing.envelope import read_envelope
from tidegate.sealing.trust import Signer, Trusted, read_chain, read_keys


@dataclass(frozen=True, slots=True)
class SealingKey:
    """What a bundle is sealed with."""

    path: Path
    """Private key in PEM, on P-256, P-384 or P-521."""
    password: str | None = None
    certificate: Path | None = None
    """In PEM, of the same key; none: whoever checks must know the key itself."""
    chain: Path | None = None
    """Certificates between it and the authority, in PEM."""


def seal_bundle(bundle: Path, key: SealingKey, *, replace: bool = False) -> Signer:
    """Writes `model.sig` into a sound bundle; gives who sealed it.

    Raises:
        FileExistsError: There is another seal, and it is not to be replaced.
        ValueError: The key or certificate can't be used; one sentence.
    """
    path = bundle / SEAL_NAME
    # ECDSA draws a random number: sealing twice never gives the same text.
    if not replace and path.exists():
        raise FileExistsError(f"{bundle} has a {SEAL_NAME} already; --replace puts another in its place")
    trusted = _read_own(key)
    text = _sign(bundle, key)
    digest = manifest_digest((bundle / MANIFEST_NAME).read_bytes())
    now = datetime.now(UTC)
    signer = check_seal(text, digest, trusted, now=now)
    if isinstance(signer, Unsealed):
        raise ValueError(f"nobody would accept it: {signer.sentence}")
    if key.certificate is not None:
        # The key is right; whether the certificate may sign is known here too, all but who vouches for it.
        signer = _require_may_sign(text, key.certificate, now)
    # Beside the bundle, not in it: a rest of it would be a file that the manifest does not list.
    partial = bundle.with_name(f".{bundle.name}.{SEAL_NAME}.partial")
    partial.write_text(text)
    partial.replace(path)
    return signer


def _read_own(key: SealingKey) -> Trusted:
    """Whoever would trust the key, so that what is written is what is accepted."""
    try:
        password = key.password.encode() if key.password is not None else None
        private: Any = load_pem_private_key(key.path.read_bytes(), password)
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        keys = read_keys(public)
    # A password that is not needed, or is, and was not given, is a TypeError there.
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{key.path.name} can't be used: {error}") from error
    return Trusted(keys=keys)


def _require_may_sign(text: str, certificate: Path, now: datetime) -> Signer:
    try:
        return read_chain(read_envelope(text).certificates, now).signer
    except ValueError as error:
        raise ValueError(f"{certificate.name} can't be used: {error}") from error


def _sign(bundle: Path, key: SealingKey) -> str:
    config = signing.Config()  # type: ignore[no-untyped-call] # as the library has it
    # Of the files in the folder, all but the seal itself: an older one is not part of what is sealed.
    hashed = hashing.Config()  # type: ignore[no-untyped-call] # as the library has it
    config.set_hashing_config(hashed.set_ignored_paths(paths=[SEAL_NAME], ignore_git_paths=False))
    _use_key(config, key)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / SEAL_NAME
        config.sign(bundle, out)
        return out.read_text()


def _use_key(config: signing.Config, key: SealingKey) -> None:
    if key.certificate is None:
        # Said to be a text, handed on to a function that takes bytes.
        password: Any = key.password.encode() if key.password is not None else None
        config.use_elliptic_key_signer(private_key=key.path, password=password)
        return
    if key.password is not None:
        raise ValueError(
            f"{key.path.name} has a password, which model-signing can't use beside a certificate"
        )
    # The library can't do without a chain; the certificate itself leads nowhere else.
    chain = [key.chain or key.certificate]
    try:
        config.use_certificate_signer(
            private_key=key.path, signing_certificate=key.certificate, certificate_chain=chain
        )
    except ValueError as error:
        raise ValueError(f"{key.certificate.name} can't be used: {error}") from error
