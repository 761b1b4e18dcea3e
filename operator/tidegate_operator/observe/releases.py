"""Releases: what the release policies say of each ModelVersion, found out once."""

from __future__ import annotations

import hashlib
from typing import Final

from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.plan.release_policy import ReleasePolicies, Vouching, check_release

_Checked = tuple[str, str, bytes, str | None]

_MOST_KNOWN: Final = 10_000
"""A few MB; beyond that all are checked anew, at 0.1 ms a key and 0.7 ms a certificate."""


class Releases:
    """Checks signatures and remembers the outcome, so that a thousand models at rest cost no arithmetic."""

    def __init__(self, policies: ReleasePolicies) -> None:
        self._policies = policies
        self._known: dict[_Checked, Vouching] = {}

    def check(self, version: ModelVersion) -> Vouching:
        """What the policies say of a ModelVersion."""
        asked = _identify(version)
        found = self._known.get(asked)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[asked] = check_release(self._policies, version)
        return found


def _identify(version: ModelVersion) -> _Checked:
    """All that an outcome follows from. Not the name: a namesake made anew may bear another signature."""
    spec, metadata = version.spec, version.metadata
    signature = hashlib.sha256((spec.signature or "").encode()).digest()
    return metadata.namespace, spec.digest, signature, metadata.creation_timestamp
