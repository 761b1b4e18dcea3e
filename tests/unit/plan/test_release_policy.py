"""Who may release where: policies add up, and a signature counts by whose it is, for which bytes, and since when."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sdk.keys import DAY, NOW, Authority, make_key
from tests.unit.sdk.test_seal import OTHER_DIGEST, Sealed

from tidegate.sealing.check import Trusted, read_trusted
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.plan.release_policy import (
    NO_POLICIES,
    NotSigned,
    NotWanted,
    ReleasePolicies,
    ReleasePolicy,
    Releaser,
    SignedBy,
    Vouching,
    check_release,
    say_signed,
)

LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
PATTERN = st.one_of(LABEL, LABEL.map("{}-*".format), LABEL.map("*-{}".format), st.just("*"))


def policy(*namespaces: str, **releasers: Trusted) -> ReleasePolicy:
    """One that names these namespaces."""
    return ReleasePolicy(
        namespaces, tuple(Releaser(f"key {name}", trusted) for name, trusted in releasers.items())
    )


@pytest.mark.parametrize(
    ("pattern", "named", "unnamed"),
    [
        ("shop", {"shop"}, {"shop-2", "ashop", "bank"}),
        ("bank-*", {"bank-1", "bank-", "bank-a-b"}, {"bank", "my-bank-1"}),
        ("*-prod", {"shop-prod"}, {"prod", "shop-prod-2"}),
        ("*", {"shop", "kube-system"}, set()),
        ("a*z", {"az", "a-b-z"}, {"a", "za"}),
    ],
)
def test_a_pattern_names_whole_namespaces(pattern, named, unnamed):
    assert {name for name in named | unnamed if policy(pattern).names(name)} == named


@given(LABEL, LABEL)
def test_a_name_without_a_star_names_itself_alone(name, other):
    assert policy(name).names(other) is (name == other)


@given(st.lists(st.tuples(st.lists(PATTERN, min_size=1, max_size=3), LABEL), max_size=5), LABEL, st.randoms())
def test_policies_add_up_in_whichever_order(entries, namespace, order: random.Random):
    """None takes back what another one grants, and each that names the namespace counts."""
    policies = [policy(*patterns, **{name: Trusted()}) for patterns, name in entries]
    shuffled = order.sample(policies, len(policies))
    found = ReleasePolicies(tuple(policies)).find_releasers(namespace)
    assert sorted(one.name for one in found) == sorted(
        one.name for one in ReleasePolicies(tuple(shuffled)).find_releasers(namespace)
    )
    assert len(found) == sum(one.names(namespace) for one in policies)


class World:
    """Keys of two teams and one authority, a policy for shop and one for bank-*, and a sealed bundle."""

    def __init__(self, folder: Path) -> None:
        self.sealed = Sealed(folder)
        self.keys = {name: make_key(folder, name) for name in ("ml-team", "risk", "stranger")}
        self.authority = Authority(folder, "corp-ca")
        trusted = {name: read_trusted(keys=[path.with_suffix(".pub")]) for name, path in self.keys.items()}
        corp = Releaser("authority corp-ca", read_trusted(authorities=[self.authority.path]))
        bank = ReleasePolicy(("bank-*",), (Releaser("key risk", trusted["risk"]), corp))
        self.policies = ReleasePolicies((policy("shop", **{"ml-team": trusted["ml-team"]}), bank))

    def check(
        self, signature: str | None, namespace: str = "shop", *, digest: str = "", taken: str | None = None
    ) -> Vouching:
        """What is said of a ModelVersion with this signature."""
        version = ModelVersion.model_validate(
            {
                "metadata": {"name": "fraud-8", "namespace": namespace, "creationTimestamp": taken},
                "spec": {
                    "model": "fraud",
                    "digest": digest or self.sealed.digest,
                    "source": {"uri": "s3://models/fraud/8"},
                    "signature": signature,
                },
            }
        )
        return check_release(self.policies, version)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("policies"))


def test_where_no_policy_speaks_nothing_is_looked_at(world):
    assert world.check("no signature at all", "elsewhere") == NotWanted()
    assert NO_POLICIES.find_releasers("shop") == ()


def test_a_wanted_key_counts_and_is_called_by_its_name(world):
    found = world.check(world.sealed.seal(world.keys["ml-team"]))
    assert isinstance(found, SignedBy)
    assert found.signer.startswith("key ml-team (sha256:")


@pytest.mark.parametrize("signature", [None, ""])
def test_without_a_signature_the_wanted_ones_are_named(world, signature):
    found = world.check(signature, "bank-1")
    assert found.sentence == (
        "a release to namespace bank-1 needs a signature by key risk or authority corp-ca (releasePolicies): "
        "there is none in spec.signature"
    )


@pytest.mark.parametrize("key", ["stranger", "risk"], ids=["a stranger's", "another namespace's"])
def test_a_key_that_is_not_wanted_here_is_refused(world, key):
    found = world.check(world.sealed.seal(world.keys[key]))
    assert found == NotSigned("shop", "key ml-team", "model.sig is by another key, or was changed")


def test_a_signature_of_other_bytes_is_refused_with_both_digests(world):
    found = world.check(world.sealed.seal(world.keys["ml-team"]), digest=OTHER_DIGEST)
    assert f"but for the digest {world.sealed.digest} instead of {OTHER_DIGEST}" in found.why


@pytest.mark.parametrize("signature", ["{", "[" * 5000, "x" * 65000])
def test_what_is_no_signature_is_refused(world, signature):
    assert "can't be read" in world.check(signature).why


TAKEN = {
    "within": (timedelta(0), SignedBy),
    "at its end": (9 * DAY, SignedBy),
    "before it": (-61 * DAY, NotSigned),
    "after it": (11 * DAY, NotSigned),
}


@pytest.mark.parametrize(("after", "outcome"), TAKEN.values(), ids=TAKEN)
def test_a_certificate_counts_by_when_the_version_was_taken(world, after, outcome):
    """Not by now: it goes on counting when it is over, and no clock is asked."""
    signature = world.sealed.seal(*world.authority.vouch("Ada", days=10))
    found = world.check(signature, "bank-1", taken=f"{NOW + after:%Y-%m-%dT%H:%M:%SZ}")
    assert isinstance(found, outcome)


def test_who_signed_with_a_certificate_is_called_by_it(world):
    signature = world.sealed.seal(*world.authority.vouch("Ada"))
    found = world.check(signature, "bank-1", taken=f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    assert found.signer.startswith("CN=Ada (key sha256:")


def test_a_certificate_never_counts_in_what_no_api_server_has_taken(world):
    signature = world.sealed.seal(*world.authority.vouch("Ada"))
    assert "not at 1970-01-01" in world.check(signature, "bank-1").why
    assert isinstance(world.check(world.sealed.seal(world.keys["risk"]), "bank-1"), SignedBy)


def test_many_wanted_ones_are_counted_and_long_reasons_cut(world):
    trusted = read_trusted(keys=[world.keys["ml-team"].with_suffix(".pub")])
    world = World(world.sealed.folder)
    world.policies = ReleasePolicies((policy("*", **{f"k{number}": trusted for number in range(8)}),))
    found = world.check(None)
    assert found.wanted == "key k0 or key k1 or key k2 or key k3 or key k4 or 3 more"
    strange = world.sealed.seal(*Authority(world.sealed.folder, "x").vouch("E", subject="A" * 64, times=9))
    world.policies = ReleasePolicies((policy("*", ca=read_trusted(authorities=[world.authority.path])),))
    assert len(world.check(strange, taken=f"{NOW:%Y-%m-%dT%H:%M:%SZ}").why) <= 301


SAID = {
    "Trusted": (SignedBy("key ml-team (sha256:1)"), "True", "signed by key ml-team (sha256:1)"),
    "NotSigned": (NotSigned("shop", "key ml-team", "no"), "False", "needs a signature by key ml-team"),
    "NotChecked": (NotWanted(), "Unknown", "no release policy names this namespace"),
}


@pytest.mark.parametrize("reason", SAID)
def test_the_condition_signed_says_what_was_found(reason):
    found, status, words = SAID[reason]
    said = say_signed(found)
    assert (said.status, said.reason) == (status, reason)
    assert words in said.message
