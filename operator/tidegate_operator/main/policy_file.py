"""The file of release policies, as the chart writes it from `releasePolicies`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from tidegate.sealing.check import Trusted
from tidegate.sealing.trust import read_authorities, read_keys
from tidegate_operator.plan.release_policy import ReleasePolicies, ReleasePolicy, Releaser

_NAMESPACE: Final = re.compile(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?")
_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9._]{0,61}[A-Za-z0-9])?")


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    namespaces: tuple[str, ...]
    keys: dict[str, str] = {}
    authorities: dict[str, str] = {}


def read_release_policies(path: Path) -> ReleasePolicies:
    """Reads the file.

    Raises:
        ValueError: It can't be read, or says what can't be meant; one sentence. It never means "no policy": whoever
            could spoil the file could then release what they like.
    """
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=tuple[_Entry, ...])
    except OSError as error:
        raise ValueError(error.strerror) from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error).replace("$", "releasePolicies")) from error
    if not entries:
        raise ValueError("it holds no policy; where no signature is wanted, there is no such file")
    return ReleasePolicies(
        tuple(_read_entry(f"releasePolicies[{index}]", entry) for index, entry in enumerate(entries))
    )


def _read_entry(place: str, entry: _Entry) -> ReleasePolicy:
    if not entry.namespaces:
        raise ValueError(f"{place}.namespaces is empty; name those that it is for, such as shop or bank-*")
    for namespace in entry.namespaces:
        if not _NAMESPACE.fullmatch(namespace):
            raise ValueError(
                f"{place}.namespaces has {namespace!r}; write a name, or a pattern such as bank-*"
            )
    if not entry.keys and not entry.authorities:
        raise ValueError(f"{place} has neither keys nor authorities, so nobody could release there; name one")
    releasers = (
        *_read_releasers(f"{place}.keys", entry.keys, _trust_key),
        *_read_releasers(f"{place}.authorities", entry.authorities, _trust_authorities),
    )
    return ReleasePolicy(entry.namespaces, releasers)


def _read_releasers(
    place: str, texts: Mapping[str, str], read: Callable[[str], tuple[str, Trusted]]
) -> Iterator[Releaser]:
    for name, text in texts.items():
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{place} has the name {name[:64]!r}; write letters, digits, - . and _, such as ml-team"
            )
        try:
            kind, trusted = read(text)
        except ValueError as error:
            raise ValueError(f"{place}.{name}: {error}") from error
        yield Releaser(f"{kind} {name}", trusted)


def _trust_key(text: str) -> tuple[str, Trusted]:
    return "key", Trusted(keys=read_keys(text.encode()))


def _trust_authorities(text: str) -> tuple[str, Trusted]:
    return "authority", Trusted(authorities=read_authorities(text.encode()))
