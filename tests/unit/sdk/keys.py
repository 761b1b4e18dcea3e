"""Keys, certificates and small bundles for tests of seals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH


def make_key(folder: Path, name: str, curve: ec.EllipticCurve | None = None, password: str = "") -> Path:
    """Writes NAME.pem and NAME.pub; gives the first."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    path = folder / f"{name}.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
    return path


class Authority:
    """One that vouches for others, itself or by another."""

    def __init__(
        self,
        folder: Path,
        name: str,
        issuer: Authority | None = None,
        *,
        usages: Sequence[x509.ObjectIdentifier] = (),
    ) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name}.crt"
        self._issuer = issuer or self
        builder = self._issuer.build(name, self.key.public_key(), ca=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=True)
        certificate = builder.sign(self._issuer.key, hashes.SHA256())
        self.path.write_bytes(certificate.public_bytes(Encoding.PEM))

    def build(
        self, name: str, key: ec.EllipticCurvePublicKey, *, ca: bool, days: int = 30, times: int = 1
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] * times))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 60 * DAY)
            .not_valid_after(NOW + days * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )

    def vouch(
        self,
        name: str,
        *,
        days: int = 30,
        ca: bool = False,
        usages: Sequence[x509.ObjectIdentifier] = (CODE_SIGNING,),
        subject: str = "",
        times: int = 1,
    ) -> tuple[Path, Path]:
        """Gives the paths of a new private key and its certificate, whose subject is so many times the same."""
        key = ec.generate_private_key(ec.SECP256R1())
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.crt"
        paths[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        builder = self.build(subject or name, key.public_key(), ca=ca, days=days, times=times)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        paths[1].write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        return paths
