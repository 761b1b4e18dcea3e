"""Trust: the keys and authorities whose seals are wanted, and whether one of them made a signature."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

# As model-signing pairs them, after sigstore's list of algorithms.
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}

# Before anybody vouched for a certificate, its words are a stranger's: they go into a condition and onto a terminal.
_MOST_CHARACTERS: Final = 200

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Signer:
    """Who sealed a bundle."""

    fingerprint: str
    """`sha256:` and the hash of the public key (SubjectPublicKeyInfo, DER)."""
    subject: str = ""
    """Of the certificate, as RFC 4514 writes it; empty: a bare key that is trusted by itself."""

    def __str__(self) -> str:
        return f"{self.subject} (key {self.fingerprint})" if self.subject else f"key {self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whose seals are wanted; any one of them is enough."""

    keys: tuple[ec.EllipticCurvePublicKey, ...] = ()
    authorities: tuple[x509.Certificate, ...] = ()
    """A certificate that one of them vouches for may seal."""

    def __str__(self) -> str:
        keys = [f"key {key_fingerprint(key)}" for key in self.keys]
        return (
            " or ".join([*keys, *(f"authority {write_subject(one)}" for one in self.authorities)]) or "nobody"
        )


def read_keys(pem: bytes) -> tuple[ec.EllipticCurvePublicKey, ...]:
    """Reads a public key in PEM.

    Raises:
        ValueError: It is none, or none that a seal can be made with; one sentence.
    """
    try:
        key = load_pem_public_key(pem)  # of several, the first
    except Exception as error:  # what broken PEM raises differs by how it is broken
        raise ValueError("it is no public key in PEM (BEGIN PUBLIC KEY)") from error
    if pem.count(b"-----BEGIN ") > 1:
        raise ValueError("it holds more than one key; give each a file of its own")
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise ValueError("it is no key on the curve P-256, P-384 or P-521")
    return (key,)


def read_authorities(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Reads certificates in PEM, one after the other.

    Raises:
        ValueError: There is none; one sentence.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise ValueError("it holds no certificate in PEM (BEGIN CERTIFICATE)") from error


def read_trusted(*, keys: Sequence[Path] = (), authorities: Sequence[Path] = ()) -> Trusted:
    """Reads the files of keys and authorities.

    Raises:
        ValueError: One sentence that names the file.
    """
    return Trusted(
        keys=tuple(key for path in keys for key in _read(path, read_keys)),
        authorities=tuple(one for path in authorities for one in _read(path, read_authorities)),
    )


def _read(path: Path, read: Callable[[bytes], tuple[_Found, ...]]) -> tuple[_Found, ...]:
    try:
        return read(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name} can't be used: {error}") from error


def key_fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Gives `sha256:` and the hash of a key, as `openssl pkey -pubin -outform der | sha256sum` does."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def write_subject(certificate: x509.Certificate) -> str:
    """Gives who a certificate is about, such as `CN=Ada,O=Example`; what can't be printed is `?`, and much is cut."""
    return _tame(certificate.subject.rfc4514_string())


def _tame(text: str) -> str:
    cut = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
    return "".join(letter if letter.isprintable() else "?" for letter in cut)


def is_signed_by(key: ec.EllipticCurvePublicKey, signature: bytes, content: bytes) -> bool:
    """Whether a signature over the content is by this key."""
    try:
        key.verify(signature, content, ec.ECDSA(_HASHES[key.curve.name]))
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate that may sign, and those between it and an authority; nobody vouched for it yet."""

    leaf: x509.Certificate
    between: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePublicKey

    @property
    def signer(self) -> Signer:
        """Whose certificate it is."""
        return Signer(key_fingerprint(self.key), write_subject(self.leaf))


def read_chain(certificates: Sequence[bytes], now: datetime) -> Chain:
    """Reads certificates in DER, the signer's own first.

    Raises:
        ValueError: They can't be read, or the first one may not sign now; one sentence.
    """
    try:
        leaf, *between = (x509.load_der_x509_certificate(der) for der in certificates)
        subject = write_subject(leaf)
        key = leaf.public_key()
        usages = {type(one.value): one.value for one in leaf.extensions}
    except Exception as error:  # what broken DER raises differs by how it is broken
        raise ValueError("its certificates can't be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise ValueError(f"the certificate of {subject} has no key on the curve P-256, P-384 or P-521")
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        # To the second: some are valid for ten minutes.
        begin, end, moment = map(_say_time, (leaf.not_valid_before_utc, leaf.not_valid_after_utc, now))
        raise ValueError(f"the certificate of {subject} is valid from {begin} to {end}, and not at {moment}")
    if not _may_sign(usages.get(x509.KeyUsage), usages.get(x509.ExtendedKeyUsage)):
        raise ValueError(f"the certificate of {subject} is not for signing (digitalSignature, codeSigning)")
    return Chain(leaf, tuple(between), key)


def _say_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def require_vouched(chain: Chain, authorities: Sequence[x509.Certificate], now: datetime) -> None:
    """Refuses a chain that leads to no authority.

    Raises:
        ValueError: No authority vouches for it now; one sentence.
    """
    try:
        _build_verifier(authorities, now).verify(chain.leaf, list(chain.between))
    except Exception as error:  # VerificationError, or what an odd extension of one between raises
        wanted = " or ".join(map(write_subject, authorities))
        raise ValueError(
            f"the certificate of {write_subject(chain.leaf)} has no valid path to {wanted}: {_tame(str(error))}"
        ) from error


def _build_verifier(authorities: Sequence[x509.Certificate], now: datetime) -> verification.ClientVerifier:
    # The library's own policies are those of the web: host names, and keys for TLS.
    signers = verification.ExtensionPolicy.permit_all()
    either = verification.Criticality.AGNOSTIC
    vouching = (
        signers.require_present(x509.BasicConstraints, either, _require_authority)
        .may_be_present(x509.KeyUsage, either, _require_may_vouch)
        .may_be_present(x509.ExtendedKeyUsage, either, _require_of_signers)
    )
    return (
        verification.PolicyBuilder()
        .store(verification.Store(list(authorities)))
        .time(now)
        .extension_policies(ca_policy=vouching, ee_policy=signers)
        .build_client_verifier()
    )


def _require_authority(
    _policy: verification.Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints
) -> None:
    if not constraints.ca:
        raise ValueError("one between is no authority")


def _require_may_vouch(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an authority may not sign certificates")


def _require_of_signers(
    _policy: verification.Policy, _certificate: x509.Certificate, extended: x509.ExtendedKeyUsage | None
) -> None:
    """RFC 5280 says nothing of it in an authority's certificate; who issues one means it as a bound on those below."""
    ends = (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if extended is not None and not any(end in extended for end in ends):
        raise ValueError("an authority is for other ends than codeSigning")


def _may_sign(usage: x509.ExtensionType | None, extended: x509.ExtensionType | None) -> bool:
    """One of the two must allow it and none may speak against it.

    With the first half alone, a web server's certificate of the same authority could seal models.
    """
    said = []
    if isinstance(usage, x509.KeyUsage):
        said.append(usage.digital_signature)
    if isinstance(extended, x509.ExtendedKeyUsage):
        said.append(ExtendedKeyUsageOID.CODE_SIGNING in extended)
    return bool(said) and all(said)
