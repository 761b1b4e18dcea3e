"""A seal counts only as it was made, for the bundle it was made for, by somebody whose seal is wanted."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sdk.keys import ANY, CODE_SIGNING, DAY, NOW, SERVER_AUTH, Authority, make_key

from tidegate.bundle import SEAL_NAME, write_bundle
from tidegate.sealing.check import Signer, Unsealed, check_seal, read_trusted
from tidegate.sealing.envelope import Dsse
from tidegate.sealing.seal import SealingKey, seal_bundle
from tidegate.sealing.trust import read_chain, read_keys

OTHER_DIGEST = "sha256:" + "0" * 64


class Sealed:
    """A bundle of two files, and what seals it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bundle = folder / "bundle"
        self.digest = write_bundle(
            self.bundle, {"a.bin": b"a", "b.bin": b"b"}, model="fraud", created_by="a hand"
        )

    def seal(self, key: Path, certificate: Path | None = None, chain: Path | None = None) -> str:
        seal_bundle(self.bundle, SealingKey(key, None, certificate, chain), replace=True)
        return (self.bundle / SEAL_NAME).read_text()

    def check(
        self, text: str, *keys: Path, digest: str = "", now: datetime = NOW, by: Authority | None = None
    ):
        trusted = read_trusted(
            keys=[key.with_suffix(".pub") for key in keys], authorities=[by.path] if by else []
        )
        return check_seal(text, digest or self.digest, trusted, now=now)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Sealed:
    return Sealed(tmp_path_factory.mktemp("sealed"))


@pytest.fixture(scope="module")
def key(sealed) -> Path:
    return make_key(sealed.folder, "key")


@pytest.fixture(scope="module")
def text(sealed, key) -> str:
    return sealed.seal(key)


@pytest.fixture(scope="module")
def authority(sealed) -> Authority:
    return Authority(sealed.folder, "root")


def sentence(outcome: Signer | Unsealed) -> str:
    assert isinstance(outcome, Unsealed)
    return outcome.sentence


def der(certificate: Path) -> bytes:
    return load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER)


def resign(text: str, key: Path, change) -> str:
    """The seal with another statement, signed by the same key: only what the statement says is wrong."""
    seal = json.loads(text)
    envelope = seal["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    payload = json.dumps(statement).encode()
    private = load_pem_private_key(key.read_bytes(), None)
    content = Dsse(payload, envelope["payloadType"], ()).signed_bytes
    signature = private.sign(content, ec.ECDSA(hashes.SHA256()))
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    return json.dumps(seal)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: c.name)
def test_what_the_library_seals_with_a_key_counts_for_who_trusts_the_key(sealed, curve):
    key = make_key(sealed.folder, curve.name, curve)
    signer = sealed.check(sealed.seal(key), key)
    assert isinstance(signer, Signer)
    assert signer.fingerprint.startswith("sha256:")
    assert signer.subject == ""


def test_what_it_seals_with_a_certificate_counts_for_who_trusts_the_authority(sealed, authority):
    between = Authority(sealed.folder, "between", authority)
    private, certificate = between.vouch("Ada")
    signer = sealed.check(sealed.seal(private, certificate, between.path), by=authority)
    assert isinstance(signer, Signer)
    assert signer.subject == "CN=Ada"


def test_one_of_several_wanted_keys_is_enough(sealed, text, key):
    assert isinstance(sealed.check(text, make_key(sealed.folder, "other"), key), Signer)


def test_another_key_is_refused_with_the_wanted_ones_fingerprint(sealed, text, key):
    other = make_key(sealed.folder, "other")
    said = sentence(sealed.check(text, other))
    fingerprint = sealed.check(sealed.seal(other), other).fingerprint
    assert said == f"model.sig is by another key, or was changed; wanted is one by key {fingerprint}"


def test_why_a_seal_does_not_count_is_told_apart_from_whose_would(sealed, text):
    other = make_key(sealed.folder, "other")
    said = sealed.check(text, other)
    assert said.why == "model.sig is by another key, or was changed"
    assert said.wanted == f"key {sealed.check(sealed.seal(other), other).fingerprint}"


def test_a_seal_of_another_bundle_is_refused_with_both_digests(sealed, text, key):
    said = sentence(sealed.check(text, key, digest=OTHER_DIGEST))
    assert f"but for the digest {sealed.digest} instead of {OTHER_DIGEST}" in said


def test_nobody_trusted_is_nobody_believed(sealed, text):
    assert "wanted is one by nobody" in sentence(sealed.check(text))


@pytest.mark.parametrize(
    ("later", "what"),
    [(31, "is valid from"), (-61, "is valid from")],
    ids=["expired", "not yet valid"],
)
def test_a_certificate_counts_only_while_it_is_valid(sealed, authority, later, what):
    text = sealed.seal(*authority.vouch("Ada"))
    said = sentence(sealed.check(text, by=authority, now=NOW + later * DAY))
    assert f"the certificate of CN=Ada {what}" in said
    assert f"and not at {NOW + later * DAY:%Y-%m-%dT%H:%M:%SZ}" in said
    assert "authority CN=root" in said


def test_an_expired_authority_vouches_for_nobody(sealed, authority):
    text = sealed.seal(*authority.vouch("Ada", days=90))
    said = sentence(sealed.check(text, by=authority, now=NOW + 40 * DAY))
    assert "the certificate of CN=Ada has no valid path to CN=root" in said


def test_another_authority_of_the_same_name_is_refused(sealed, authority, tmp_path):
    text = sealed.seal(*Authority(tmp_path, "root").vouch("Ada"))
    assert "has no valid path to CN=root" in sentence(sealed.check(text, by=authority))


def test_who_was_vouched_for_may_not_vouch_for_others(sealed, authority):
    between = Authority(sealed.folder, "Eve", authority)
    _, own = authority.vouch("Eve")
    between.path.write_bytes(own.read_bytes())
    text = sealed.seal(*between.vouch("Mallory"), between.path)
    assert "has no valid path to CN=root" in sentence(sealed.check(text, by=authority))


def test_an_authority_for_web_servers_vouches_for_no_signer(sealed, authority):
    web = Authority(sealed.folder, "web", authority, usages=(SERVER_AUTH,))
    said = sentence(sealed.check(sealed.seal(*web.vouch("Ada"), web.path), by=authority))
    assert "the certificate of CN=Ada has no valid path to CN=root" in said


@pytest.mark.parametrize("usages", [(CODE_SIGNING,), (SERVER_AUTH, ANY)], ids=["signing", "any"])
def test_an_authority_for_signers_or_for_anything_vouches_for_them(sealed, authority, usages):
    between = Authority(sealed.folder, "between", authority, usages=usages)
    assert isinstance(sealed.check(sealed.seal(*between.vouch("Ada"), between.path), by=authority), Signer)


@pytest.mark.parametrize("usages", [(), (SERVER_AUTH,)], ids=["no usage", "web server"])
def test_a_certificate_that_is_not_for_signing_is_refused(sealed, authority, usages):
    _, certificate = authority.vouch("www", usages=usages)
    with pytest.raises(ValueError, match="the certificate of CN=www is not for signing"):
        read_chain([der(certificate)], NOW)


@pytest.mark.parametrize(
    ("how", "what"), [({"usages": (SERVER_AUTH,)}, "is not for signing"), ({"days": -1}, "is valid from")]
)
def test_what_nobody_would_accept_is_not_sealed(sealed, authority, how, what):
    before = sealed.seal(*authority.vouch("Ada"))
    with pytest.raises(ValueError, match=rf"Eve\.crt can't be used: the certificate of CN=Eve {what}"):
        sealed.seal(*authority.vouch("Eve", **how))
    assert (sealed.bundle / SEAL_NAME).read_text() == before


@pytest.mark.parametrize("name", ["Ada\nReady: True\x1b[31m", "Ada\u202e"])
def test_a_strangers_name_stays_on_its_line(sealed, authority, tmp_path, name):
    stranger = Authority(tmp_path, "stranger")
    private, certificate = stranger.vouch("Eve", subject=name)
    said = sentence(sealed.check(sealed.seal(private, certificate), by=authority))
    assert said.isprintable()


def test_a_strangers_long_name_is_cut(sealed, authority, tmp_path):
    private, certificate = Authority(tmp_path, "stranger").vouch("Eve", subject="A" * 64, times=100)
    assert len(sentence(sealed.check(sealed.seal(private, certificate), by=authority))) < 1000


def test_a_file_with_two_keys_is_refused_since_one_would_not_count(sealed, key):
    with pytest.raises(ValueError, match="more than one key"):
        read_keys(key.with_suffix(".pub").read_bytes() * 2)


def twice(statement):
    statement["predicate"]["resources"] *= 2


def none(statement):
    statement["predicate"]["resources"] = []


def other_predicate(statement):
    statement["predicateType"] = "https://slsa.dev/provenance/v1"


def shards(statement):
    statement["predicate"]["serialization"]["method"] = "shards"


def other_hash(statement):
    for resource in statement["predicate"]["resources"]:
        resource["algorithm"] = "blake3"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (twice, "lists tidegate.json 2 times"),
        (none, "lists tidegate.json 0 times"),
        (other_predicate, "has a predicate of type 'https://slsa.dev/provenance/v1'"),
        (shards, "has a list of type 'shards'"),
        (other_hash, "has a hash of type 'blake3'"),
    ],
)
def test_a_statement_that_says_something_else_is_refused_though_it_is_signed(sealed, key, change, what):
    text = sealed.seal(key)
    assert what in sentence(sealed.check(resign(text, key, change), key))


@pytest.mark.parametrize(
    ("garbage", "what"),
    [
        ("", "can't be read"),
        ("[]", "can't be read"),
        ("{" * 1000, "can't be read"),
        ('{"x":' + "[" * 30000, "can't be read"),
        ("\ud800", "can't be read"),
        (" " * 65537, "has more than 65536 bytes"),
        ("é" * 40000, "has more than 65536 bytes"),
    ],
)
def test_garbage_is_refused_in_one_sentence(sealed, key, garbage, what):
    assert what in sentence(sealed.check(garbage, key))


@given(st.data())
def test_no_changed_byte_of_what_was_signed_goes_unseen(sealed, text, key, data):
    envelope = json.loads(text)
    part = data.draw(st.sampled_from(["payload", "sig"]))
    holder = envelope["dsseEnvelope"] if part == "payload" else envelope["dsseEnvelope"]["signatures"][0]
    content = bytearray(base64.b64decode(holder[part]))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    holder[part] = base64.b64encode(content).decode()
    assert "is by another key, or was changed" in sentence(sealed.check(json.dumps(envelope), key))


@given(st.data())
def test_a_changed_byte_of_the_text_never_makes_it_count_for_another_bundle(sealed, text, key, data):
    content = bytearray(text.encode())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    changed = content.decode(errors="replace")
    assert isinstance(sealed.check(changed, key, digest=OTHER_DIGEST), Unsealed)
