"""The laptop, or a pipeline: the predictor is a process of ours, and data sets are files beside the list of gates."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tidegate.gates import DataSet, Sample
from tidegate_gates.confinement import Limits
from tidegate_gates.data_set import fetch_data_set
from tidegate_gates.subject import Subject, run_subject


@dataclass(frozen=True, slots=True)
class Laptop:
    """See `Surroundings`."""

    beside: Path
    """The folder that paths of data sets are relative to."""

    def run_predictor(self, bundle: Path, limits: Limits) -> AbstractContextManager[Subject]:
        """See `Surroundings`."""
        return run_subject(bundle, limits)

    @contextmanager
    def open_data(self, _gate: str, data: DataSet | Sample) -> Iterator[Path]:
        """See `Surroundings`."""
        with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
            yield fetch_data_set(data, Path(folder), beside=self.beside)
