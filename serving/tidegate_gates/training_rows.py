"""Training rows: what a bundle can tell of whether rows are some that its version was made with.

That is little. Its provenance may have the digest of the training data's file, and its golden rows, eight at most, are
of the sample that it was packaged with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tidegate.gate_report import Finding
from tidegate.gates import DataSet
from tidegate.provenance import Data
from tidegate.verdict import Verdict
from tidegate_gates.repetition import GoldenFound

SUBJECT = "training rows"
_SHA256 = "sha256:"


@dataclass(frozen=True, slots=True)
class Origin:
    """What provenance says beside the file that is looked at."""

    same: str = ""
    """Why it is the file that the version was trained on; empty: it is not known to be."""
    is_other: bool = False
    """Whether it is known to be another file than all that the version was trained on."""


def compare_origin(data: DataSet, digest: str, trained_on: Sequence[Data]) -> Origin:
    """Holds a file and its digest against what the version was trained on."""
    for one in trained_on:
        if one.digest == digest:
            return Origin(f"{data.uri} has the digest of {one.uri}, which the version was trained on")
        # Paths without a scheme are relative to folders that nobody remembers.
        if one.uri == data.uri and urlsplit(data.uri).scheme and not _is_comparable(one):
            return Origin(f"{data.uri} is what the version was trained on, as its provenance has it")
    return Origin(is_other=bool(trained_on) and all(map(_is_comparable, trained_on)))


def _is_comparable(data: Data) -> bool:
    return data.digest.startswith(_SHA256)


def judge_training_rows(origin: Origin, golden: GoldenFound | None, level: float) -> Finding:
    """What can be told of rows that the version was made with."""
    if origin.same:
        return Finding(SUBJECT, Verdict.BAD, f"{origin.same}: what it learnt by heart is no evidence")
    other = "this is another file than what the version was trained on" if origin.is_other else ""
    if golden is None:
        words = "golden rows can't be looked for without the columns of all features"
        return Finding(SUBJECT, Verdict.NOT_ENOUGH, words)
    if find_tail(len(golden.chances), golden.chances) > level:
        return _tell_nothing(other, golden.alike)
    few = f"{golden.found} of the {len(golden.chances)} golden rows, which are of the version's sample"
    figures = f"{few}, are among these, {sum(golden.chances):.2g} by chance"
    if golden.found and find_tail(golden.found, golden.chances) <= level:
        return Finding(SUBJECT, Verdict.BAD, f"{figures}: some of these rows are rows of the sample")
    more = "whether others of its sample are, nothing in the bundle tells"
    return Finding(SUBJECT, Verdict.GOOD, "; ".join(filter(None, (other, figures, more))))


def _tell_nothing(other: str, alike: float) -> Finding:
    why = f"golden rows tell nothing here, since {100 * alike:.3g} % of the rows have the features of another"
    if other:
        return Finding(SUBJECT, Verdict.GOOD, f"{other}; whether they share rows can't be told: {why}")
    mend = "package the version with --data, and files can be told apart by their digests"
    return Finding(SUBJECT, Verdict.NOT_ENOUGH, f"{why}; {mend}")


def find_tail(found: int, chances: Sequence[float]) -> float:
    """The chance that at least so many are found, where each is with a chance of its own."""
    of = [1.0]
    for chance in chances:
        # With each more, either the number stays or it grows by one.
        of = [
            stays * (1 - chance) + grows * chance for stays, grows in zip((*of, 0.0), (0.0, *of), strict=True)
        ]
    return sum(of[found:])
