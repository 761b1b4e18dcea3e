"""What every resource of ours has: where it lives, how it is spelled, and what is ignored in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP: Final = "tidegate.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"


class Written(BaseModel):
    """What a user writes: a field that we do not know is a mistake."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Seen(BaseModel):
    """What comes back from the API server: a field that we do not know belongs to a newer version than we
    are.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Metadata(Seen):
    """The part of an object's metadata that we read."""

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: Annotated[Mapping[str, str], Field(default_factory=dict)]
    annotations: Annotated[Mapping[str, str], Field(default_factory=dict)]
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    """Set while the object is being deleted."""


class Resource(Seen):
    """An object of our group."""

    metadata: Metadata

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.metadata.namespace, self.metadata.name
