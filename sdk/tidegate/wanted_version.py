"""The wanted version: `spec.modelVersion` as it stands in a ModelDeployment's file, and another one in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tidegate.model_version import write_text

_PATH: Final = ("spec", "modelVersion")
_FIELD: Final = ".".join(_PATH)


class UnfitFile(ValueError):  # noqa: N818 - what it is
    """The wanted version can't be found in a file, or not be written there; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ModelDeployment in a file, and where in its text the version stands."""

    deployment: Mapping[str, Any]
    version: str
    text: str
    """Of the whole file."""
    begin: int
    """Of the version with its quotes, in characters."""
    end: int

    def replace(self, version: str) -> str:
        """Gives the file's text with another version, and all else as it was: comments, order, spaces, line ends."""
        quote = self.text[self.begin] if self.text[self.begin] in "\"'" else ""
        # What was written without quotes may need them now: a name such as 8 would be read as a number.
        scalar = f"{quote}{version}{quote}" if quote else write_text(version)
        return self.text[: self.begin] + scalar + self.text[self.end :]


def find_wanted(text: str) -> Wanted:
    """Finds the version in a YAML file that has one ModelDeployment, beside any other objects.

    Raises:
        UnfitFile: There is none, or its version is not written as a plain word or a quoted one.
    """
    try:
        roots = list(yaml.compose_all(text, yaml.SafeLoader))
        bodies = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError) as error:
        raise UnfitFile(f"it is no YAML: {' '.join(str(error).split())}") from error
    found = [(root, body) for root, body in zip(roots, bodies, strict=True) if _is_deployment(body)]
    if len(found) != 1:
        raise UnfitFile(f"a file with one ModelDeployment is needed, and this has {len(found)}")
    root, body = found[0]
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not metadata.get("name"):
        raise UnfitFile("its ModelDeployment has no metadata.name")
    scalar = _find_scalar(root)
    written = text[scalar.start_mark.index : scalar.end_mark.index]
    # An anchor, a tag, a block or an escape would be lost, and its aliases would be left without it.
    if not scalar.value or written not in {scalar.value, f'"{scalar.value}"', f"'{scalar.value}'"}:
        raise UnfitFile(f"its {_FIELD} is written as {written!r}; write the name alone, such as fraud-7")
    return Wanted(body, scalar.value, text, scalar.start_mark.index, scalar.end_mark.index)


def _is_deployment(body: object) -> bool:
    return (
        isinstance(body, dict)
        and body.get("kind") == "ModelDeployment"
        and str(body.get("apiVersion")).startswith("tidegate.io/")
    )


def _find_scalar(node: yaml.Node) -> yaml.ScalarNode:
    for name in _PATH:
        values = list(_values_of(node, name))
        if len(values) != 1:
            raise UnfitFile(f"its ModelDeployment has {_FIELD} {len(values)} times; write it once")
        key, node = values[0]
        # An alias stands for what was written further up, which others may use too.
        if node.start_mark.index < key.end_mark.index:
            raise UnfitFile(f"its {_FIELD} is an alias (*) of what stands elsewhere; write it out")
    if not isinstance(node, yaml.ScalarNode):
        raise UnfitFile(f"its {_FIELD} is no name; write one such as fraud-7")
    return node


def _values_of(node: yaml.Node, name: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return ((key, value) for key, value in pairs if key.value == name)
