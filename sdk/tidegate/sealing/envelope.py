"""The envelope: a seal's text, parsed within bounds, and the bytes that its signature is over.

A sigstore bundle around a DSSE envelope around an in-toto statement, as the library `model-signing` writes it:
https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md, https://in-toto.io/Statement/v1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

from tidegate.bundle import MANIFEST_NAME, SEAL_MAX_BYTES, SEAL_NAME

_MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"

# A path to an authority has two or three; each costs a signature check.
_MOST_CERTIFICATES: Final = 8


class _Signed(msgspec.Struct, frozen=True):
    sig: bytes


class Dsse(msgspec.Struct, frozen=True, rename="camel"):
    """What was signed, and the signature."""

    payload: bytes
    payload_type: str
    signatures: Annotated[tuple[_Signed, ...], msgspec.Meta(min_length=1, max_length=1)]

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over: DSSE's pre-authentication encoding."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


class _Certificate(msgspec.Struct, frozen=True, rename="camel"):
    raw_bytes: bytes


class _Chain(msgspec.Struct, frozen=True):
    certificates: Annotated[
        tuple[_Certificate, ...], msgspec.Meta(min_length=1, max_length=_MOST_CERTIFICATES)
    ]


class _Material(msgspec.Struct, frozen=True, rename="camel"):
    x509_certificate_chain: _Chain | None = None


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """A seal as it was parsed; nothing of it is believed yet."""

    media_type: str
    verification_material: _Material
    dsse_envelope: Dsse

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """In DER, the signer's own first; empty: sealed with a bare key."""
        chain = self.verification_material.x509_certificate_chain
        return tuple(certificate.raw_bytes for certificate in chain.certificates) if chain else ()


class _Resource(msgspec.Struct, frozen=True):
    name: str
    algorithm: str
    digest: str


class _Serialization(msgspec.Struct, frozen=True):
    method: str
    hash_type: str


class _Predicate(msgspec.Struct, frozen=True):
    serialization: _Serialization
    resources: tuple[_Resource, ...]


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    type: str = msgspec.field(name="_type")
    predicate_type: str
    predicate: _Predicate


def read_envelope(text: str) -> Envelope:
    """Parses a seal.

    Raises:
        ValueError: One sentence on what is wrong with it.
    """
    # A character takes at least a byte: what is far too long is not even encoded.
    if len(text) > SEAL_MAX_BYTES or len(text.encode(errors="replace")) > SEAL_MAX_BYTES:
        raise ValueError(f"{SEAL_NAME} has more than {SEAL_MAX_BYTES} bytes, and no more are read")
    envelope: Envelope = _decode(text, Envelope)
    for what, found, wanted in (
        ("a seal", envelope.media_type, _MEDIA_TYPE),
        ("signed content", envelope.dsse_envelope.payload_type, _PAYLOAD_TYPE),
    ):
        _require(what, found, wanted)
    return envelope


def read_sealed_digest(payload: bytes) -> str:
    """Gives the digest of the bundle that a statement is about, `sha256:…`.

    Raises:
        ValueError: One sentence on what is wrong with it.
    """
    statement: _Statement = _decode(payload, _Statement)
    serialization = statement.predicate.serialization
    for what, found, wanted in (
        ("a statement", statement.type, _STATEMENT_TYPE),
        ("a predicate", statement.predicate_type, _PREDICATE_TYPE),
        ("a list", serialization.method, "files"),
        ("hashes", serialization.hash_type, "sha256"),
    ):
        _require(what, found, wanted)
    manifests = list(_find_manifests(statement.predicate))
    if len(manifests) != 1:
        raise ValueError(f"{SEAL_NAME} lists {MANIFEST_NAME} {len(manifests)} times, but once is needed")
    _require("a hash", manifests[0].algorithm, "sha256")
    return f"sha256:{manifests[0].digest}"


def _find_manifests(predicate: _Predicate) -> Iterator[_Resource]:
    return (resource for resource in predicate.resources if resource.name == MANIFEST_NAME)


def _require(what: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise ValueError(f"{SEAL_NAME} has {what} of type {found[:100]!r}, but {wanted!r} is needed")


def _decode(content: str | bytes, kind: type[Any]) -> Any:  # noqa: ANN401 - of that type
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"{SEAL_NAME} can't be read: {error}") from error
