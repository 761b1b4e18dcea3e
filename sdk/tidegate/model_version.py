"""A bundle that was written, and the ModelVersion that tells a cluster of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tidegate.version import CREATED_BY

API_VERSION: Final = "tidegate.io/v1alpha1"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk."""

    path: Path
    digest: str
    model: str
    created_at: datetime
    """In UTC."""

    def model_version(self, *, uri: str, name: str, git: dict[str, str] | None = None, run: str = "") -> str:
        """Gives the ModelVersion to apply, as YAML.

        Args:
            uri: Where the bundle's files will lie: s3, gs, az, http(s), file or pvc.
            name: Of the ModelVersion, such as `fraud-7`.
            git: `repository` and `commit` of the training code.
            run: Of the experiment tracker.
        """
        provenance: dict[str, Any] = {
            "builder": CREATED_BY,
            "createdAt": self.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if git:
            provenance["git"] = git
        if run:
            provenance["run"] = run
        return _yaml(
            {
                "apiVersion": API_VERSION,
                "kind": "ModelVersion",
                "metadata": {"name": name},
                "spec": {
                    "model": self.model,
                    "source": {"uri": uri},
                    "digest": self.digest,
                    "provenance": provenance,
                },
            }
        )


_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
# YAML 1.1 reads these as something else than the text they are.
_READ_OTHERWISE: Final = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def _yaml(content: dict[str, Any], indent: str = "") -> str:
    """Writes nested mappings of strings; a YAML library for ten lines would be the SDK's heaviest dependency."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{key}:\n{_yaml(value, indent + '  ')}")
        else:
            plain = _PLAIN.fullmatch(value) and value.lower() not in _READ_OTHERWISE
            # A JSON string is a YAML string.
            lines.append(f"{indent}{key}: {value if plain else json.dumps(value)}\n")
    return "".join(lines)
