"""The release policy: whose signature a ModelVersion needs in which namespace, and whether it bears one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final, Literal

from tidegate.sealing.check import Signer, Trusted, Unsealed, check_seal
from tidegate.sealing.trust import key_fingerprint
from tidegate_operator.api.model_version import ModelVersion

# With these, a sentence leaves room for what mends it: a condition's message is cut where it ends.
_MOST_NAMED: Final = 5
_MOST_CHARACTERS: Final = 300

# Of an object that no API server has taken: no certificate was valid then.
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Releaser:
    """A key or an authority whose signature counts."""

    name: str
    """What people call it, such as "key ml-team"."""
    trusted: Trusted


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """Who may release to some namespaces."""

    namespaces: tuple[str, ...]
    """Their names; * stands for any letters, such as bank-*."""
    releasers: tuple[Releaser, ...]
    """Any one of them is enough."""

    def names(self, namespace: str) -> bool:
        """Whether it speaks of a namespace."""
        return any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)


@dataclass(frozen=True, slots=True)
class ReleasePolicies:
    """All that an installation says of who may release; none: no signature is wanted anywhere."""

    entries: tuple[ReleasePolicy, ...] = ()

    def find_releasers(self, namespace: str) -> tuple[Releaser, ...]:
        """Those of all policies that name a namespace, in whichever order these stand; none: none does."""
        return tuple(one for entry in self.entries if entry.names(namespace) for one in entry.releasers)


NO_POLICIES: Final = ReleasePolicies()


@dataclass(frozen=True, slots=True)
class NotWanted:
    """No policy names the namespace: no signature was looked at."""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A signature that counts."""

    signer: str


@dataclass(frozen=True, slots=True)
class NotSigned:
    """A signature is wanted, and there is none, or none that counts."""

    namespace: str
    wanted: str
    """Whose signature would count."""
    why: str

    @property
    def sentence(self) -> str:
        """Whose signature is wanted where, and why this one is none."""
        where = f"a release to namespace {self.namespace}"
        return f"{where} needs a signature by {self.wanted} (releasePolicies): {self.why}"


Vouching = NotWanted | SignedBy | NotSigned


def check_release(policies: ReleasePolicies, version: ModelVersion) -> Vouching:
    """Whether a ModelVersion may be released to its namespace, as far as signatures say.

    Certificates must have been valid when the API server took the ModelVersion, a time that nobody else can set: a
    version that could be loaded once can be loaded for ever, as long as its policy stands.
    """
    namespace, spec = version.metadata.namespace, version.spec
    releasers = policies.find_releasers(namespace)
    if not releasers:
        return NotWanted()
    if not spec.signature:
        return NotSigned(namespace, _name_wanted(releasers), "there is none in spec.signature")
    found = check_seal(spec.signature, spec.digest, _trust_any(releasers), now=_taken_at(version))
    if isinstance(found, Unsealed):
        return NotSigned(namespace, _name_wanted(releasers), _cut(found.why))
    return SignedBy(_name_signer(found, releasers))


class SignedReason(StrEnum):
    """Reasons of the condition Signed of a ModelVersion."""

    TRUSTED = "Trusted"  # signed by whom a policy trusts
    NOT_SIGNED = "NotSigned"  # a policy wants a signature, and there is none that counts
    NOT_CHECKED = "NotChecked"  # no policy names the namespace


@dataclass(frozen=True, slots=True)
class SignedWords:
    """What the condition Signed says."""

    status: Literal["True", "False", "Unknown"]
    reason: SignedReason
    message: str


def say_signed(vouching: Vouching) -> SignedWords:
    """The condition Signed of a ModelVersion."""
    if isinstance(vouching, SignedBy):
        return SignedWords("True", SignedReason.TRUSTED, f"signed by {vouching.signer}")
    if isinstance(vouching, NotSigned):
        return SignedWords("False", SignedReason.NOT_SIGNED, vouching.sentence)
    words = "no release policy names this namespace, so no signature is wanted and none was checked"
    return SignedWords("Unknown", SignedReason.NOT_CHECKED, words)


def _trust_any(releasers: tuple[Releaser, ...]) -> Trusted:
    return Trusted(
        keys=tuple(key for one in releasers for key in one.trusted.keys),
        authorities=tuple(authority for one in releasers for authority in one.trusted.authorities),
    )


def _taken_at(version: ModelVersion) -> datetime:
    taken = version.metadata.creation_timestamp
    return datetime.fromisoformat(taken) if taken else _NEVER


def _name_wanted(releasers: tuple[Releaser, ...]) -> str:
    names = list(dict.fromkeys(one.name for one in releasers))
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return " or ".join([*names[:_MOST_NAMED], *more])


def _name_signer(signer: Signer, releasers: tuple[Releaser, ...]) -> str:
    if signer.subject:
        return str(signer)
    known = (one for one in releasers if signer.fingerprint in map(key_fingerprint, one.trusted.keys))
    return f"{next(known).name} ({signer.fingerprint})"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
