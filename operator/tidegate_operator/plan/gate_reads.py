"""What gates read from elsewhere: a store's keys and a claim, as volumes of their pod."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tidegate.gate_run import CLAIM, CREDENTIALS


@dataclass(frozen=True, slots=True)
class Read:
    """Something that the gates read from elsewhere: the volumes that it takes, and where they are mounted."""

    name: str
    folder: str
    secret: str = ""
    claim: str = ""
    scratch: str = ""
    """How much it may write into /tmp, if it has one of its own."""

    @property
    def volumes(self) -> Iterator[dict[str, Any]]:
        """A Secret's keys, a claim and a folder to write to, as far as there are any."""
        if self.scratch:
            yield {"name": f"{self.name}-scratch", "emptyDir": {"sizeLimit": self.scratch}}
        if self.secret:
            # Optional, as for predictors: that it isn't there is told in a sentence, not by a pod that hangs.
            secret = {"secretName": self.secret, "optional": True}
            yield {"name": f"{self.name}-{CREDENTIALS}", "secret": secret}
        if self.claim:
            claim = {"claimName": self.claim, "readOnly": True}
            yield {"name": f"{self.name}-{CLAIM}", "persistentVolumeClaim": claim}

    @property
    def mounts(self) -> Iterator[dict[str, Any]]:
        """Where these are."""
        if self.scratch:
            yield {"name": f"{self.name}-scratch", "mountPath": "/tmp"}  # noqa: S108 - a volume of the pod's own
        for kind, there in ((CREDENTIALS, self.secret), (CLAIM, self.claim)):
            if there:
                yield {
                    "name": f"{self.name}-{kind}",
                    "mountPath": f"{self.folder}/{kind}",
                    "readOnly": True,
                }
