"""The library: one model store for the whole session, with the bundles that the stories deploy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.adult import Census, read_census
from demo.ground import Ground
from demo.kubectl import Kubectl, Manifest
from demo.models import MODELS, Trained, boosted
from demo.store import Keys, open_store, publish, read_secret, start_store

import tidegate

NAMESPACE = "tidegate-tests"
MODEL = "income"
# As good as income-2, and yet another bundle: for what comes in mid-canary.
BUILDERS: dict[str, Callable[[Census], Trained]] = {
    **MODELS,
    "income-4": lambda census: boosted(census, seed=4),
}


@dataclass(frozen=True, slots=True)
class Library:
    """ModelVersions by name, and the store they lie in with the Secret that opens it."""

    versions: dict[str, Manifest]
    secret: Manifest
    kubectl: Kubectl
    """In the store's namespace."""
    keys: Keys
    images: Mapping[str, str]
    """Those that were built here, by the names of `make images`."""

    @contextmanager
    def bucket(self) -> Iterator[Any]:
        """The store's bucket, for who wants to spoil something."""
        with open_store(self.kubectl, self.keys) as store:
            yield store


def open_library(ground: Ground) -> Library:
    """Starts the store in a namespace of its own and fills it."""
    kubectl = ground.kubectl.within(NAMESPACE)
    kubectl.make_namespace(NAMESPACE)
    keys = start_store(kubectl, ground.images["TIDEGATE_STORE_IMAGE"])
    with open_store(kubectl, keys) as store, tempfile.TemporaryDirectory() as folder:
        versions = {name: _publish(store, name, Path(folder) / name) for name in BUILDERS}
    return Library(versions, read_secret(kubectl), kubectl, keys, ground.images)


def _publish(store: Any, name: str, folder: Path) -> Manifest:
    model = BUILDERS[name](read_census())
    bundle = tidegate.package(model.pipeline, model.sample, name=MODEL, folder=folder)
    return publish(store, bundle, name=name)
