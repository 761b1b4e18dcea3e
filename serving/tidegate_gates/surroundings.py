"""The surroundings of gates: who runs the predictor that is asked, and where data sets come from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from tidegate.gates import DataSet, Sample
from tidegate_gates.confinement import Limits
from tidegate_serving.facts import ProcessFacts


class Asked(Protocol):
    """A predictor that runs, or is about to."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it answers: host and port."""

    @property
    def model(self) -> str:
        """The name that it serves its model under."""

    @property
    def why_not_confined(self) -> str:
        """Why the limits are not in force; empty: they are."""

    def wait_until_ready(self, seconds: float) -> bool:
        """Whether it answers within this time."""

    def read_facts(self) -> ProcessFacts | None:
        """What it says of itself; none where it does not answer, or is another process than it was."""

    def tell_end(self, limits: Limits) -> str:
        """Why it does not answer, as far as that can be told."""


class Surroundings(Protocol):
    """A laptop, or a pod."""

    def run_predictor(self, bundle: Path, limits: Limits) -> AbstractContextManager[Asked]:
        """A predictor of the candidate under its limits."""

    def open_data(self, gate: str, data: DataSet | Sample) -> AbstractContextManager[Path]:
        """The file of a gate's data set.

        Raises:
            UnreadableTable: It is not there, can't be read, or is another one than its digest says.
        """
