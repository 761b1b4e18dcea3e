"""The check of a seal: its text against a digest and those whose seals are wanted; no file of the bundle is read.

The digest fixes every byte of a bundle, so whoever sealed its tidegate.json sealed all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidegate.bundle import SEAL_NAME
from tidegate.sealing.envelope import Envelope, read_envelope, read_sealed_digest
from tidegate.sealing.trust import (
    Signer,
    Trusted,
    is_signed_by,
    key_fingerprint,
    read_chain,
    read_trusted,
    require_vouched,
)

__all__ = ["Signer", "Trusted", "Unsealed", "check_seal", "read_trusted"]


@dataclass(frozen=True, slots=True)
class Unsealed:
    """Why a seal doesn't count, and whose would."""

    why: str
    wanted: str
    """The trusted ones."""

    @property
    def sentence(self) -> str:
        """Both in one sentence."""
        return f"{self.why}; wanted is one by {self.wanted}"


def check_seal(text: str, digest: str, trusted: Trusted, *, now: datetime) -> Signer | Unsealed:
    """Gives who sealed the bundle with this digest, or why nobody did whose seal is wanted.

    Args:
        text: What `model.sig` holds.
        digest: Of the bundle, `sha256:…`.
        trusted: Whose seals are wanted.
        now: With its zone. Certificates must be valid at this time: a seal bears no time that could be believed.
    """
    try:
        envelope = read_envelope(text)
        signer = _find_signer(envelope, trusted, now)
        sealed = read_sealed_digest(envelope.dsse_envelope.payload)
    except ValueError as error:
        return Unsealed(str(error), str(trusted))
    if sealed != digest:
        why = f"{SEAL_NAME} is by {signer}, but for the digest {sealed[:71]} instead of {digest}"
        return Unsealed(why, str(trusted))
    return signer


def _find_signer(envelope: Envelope, trusted: Trusted, now: datetime) -> Signer:
    """Keys first: who trusts a key trusts it without a certificate too."""
    content = envelope.dsse_envelope.signed_bytes
    signature = envelope.dsse_envelope.signatures[0].sig
    for key in trusted.keys:
        if is_signed_by(key, signature, content):
            return Signer(key_fingerprint(key))
    if not envelope.certificates or not trusted.authorities:
        raise ValueError(f"{SEAL_NAME} is by another key, or was changed")
    try:
        chain = read_chain(envelope.certificates, now)
        require_vouched(chain, trusted.authorities, now)
    except ValueError as error:
        raise ValueError(f"{SEAL_NAME} doesn't count: {error}") from error
    if not is_signed_by(chain.key, signature, content):
        raise ValueError(f"{SEAL_NAME} names {chain.signer}, but is by another key, or was changed")
    return chain.signer
