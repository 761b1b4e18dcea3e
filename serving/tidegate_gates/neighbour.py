"""The pod: the predictor runs beside us in a container of its own, and keys of stores are mounted for us."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from tidegate import pod
from tidegate.gate_run import CLAIM, CREDENTIALS, DATA_FOLDER
from tidegate.gates import DataSet, Sample
from tidegate_gates.confinement import Limits
from tidegate_gates.data_set import download, require_digest
from tidegate_gates.subject import LOOK_SECONDS, get
from tidegate_gates.table import UnreadableTable
from tidegate_serving.errors import CannotStart
from tidegate_serving.facts import FACTS_PATH, ProcessFacts
from tidegate_serving.settings import Settings
from tidegate_serving.stores import open_store

_ADDRESS: Final = ("127.0.0.1", pod.PORT)


@dataclass(slots=True)
class Neighbour:
    """The predictor of this pod. Kubernetes starts it before us, and again whenever it ends."""

    model: str
    address: tuple[str, int] = _ADDRESS
    why_not_confined: str = field(default="", init=False)
    _process: str = field(default="", init=False)

    def wait_until_ready(self, seconds: float) -> bool:
        """See `Asked`."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            if get(self.address, pod.READY_PATH) is not None:
                facts = self._read()
                self._process = facts.process if facts else ""
                return True
            time.sleep(LOOK_SECONDS)
        return False

    def read_facts(self) -> ProcessFacts | None:
        """See `Asked`. One that was started anew under our requests is not the one that we asked."""
        facts = self._read()
        return facts if facts and facts.process == self._process else None

    def tell_end(self, _limits: Limits) -> str:
        """See `Asked`. The pod's status tells more than we can see, and whoever reads our report reads that too."""
        facts = self._read()
        if facts and facts.process != self._process:
            return "it ended and was started again"
        return "it does not answer"

    def _read(self) -> ProcessFacts | None:
        content = get(self.address, FACTS_PATH)
        return msgspec.json.decode(content, type=ProcessFacts) if content else None


@dataclass(frozen=True, slots=True)
class Pod:
    """See `Surroundings`."""

    settings: Settings
    """Of the predictor beside us."""
    scratch: Path
    """A folder for copies of data sets."""

    @contextmanager
    def run_predictor(self, _bundle: Path, _limits: Limits) -> Iterator[Neighbour]:
        """See `Surroundings`: it runs already, and under its limits."""
        yield Neighbour(self.settings.model, (_ADDRESS[0], self.settings.port))

    @contextmanager
    def open_data(self, gate: str, data: DataSet | Sample) -> Iterator[Path]:
        """See `Surroundings`."""
        folder, _, name = data.uri.rpartition("/")
        keys = Path(DATA_FOLDER) / gate
        settings = replace(
            self.settings,
            source=folder,
            secret=data.secret_ref.name if data.secret_ref else "",
            named_in=f"data.secretRef of the gate {gate}",
            credentials_folder=keys / CREDENTIALS,
            claim_folder=keys / CLAIM,
        )
        try:
            store = open_store(settings)
        except CannotStart as error:
            raise UnreadableTable(f"{data.uri} can't be read: {error.message}") from error
        path = self.scratch / name
        try:
            download(store, name, path, uri=data.uri)
            require_digest(path, data)
            yield path
        finally:
            path.unlink(missing_ok=True)
