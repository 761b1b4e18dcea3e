"""Determinism: whether the same row gets the same answer, alone or in company, with few threads or many, and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tidegate.gate_report import Finding
from tidegate.verdict import Verdict
from tidegate_gates.asking import say_briefly
from tidegate_serving.golden_rows import find_difference, golden_columns, outputs_of
from tidegate_serving.model import Answers, Model
from tidegate_serving.together import same_bits

COMPANY: Final = 64
"""Rows of the batch: kernels of tree ensembles share out the rows among threads from some 50 rows on."""
THREADS: Final = (2, 4)
"""Beside one: a predictor has as many threads as its CPU limit has cores."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What a model answers to the golden rows, over and over until there are COMPANY of them."""

    alone: Answers
    """Each row by itself."""
    together: Answers
    again: Answers
    """As together, another time."""


class _Unanswered(Exception):  # noqa: N818 - what it is
    """A model that does not answer at all; one sentence."""


def hold_determinism(folder: Path, model: Model) -> Iterator[Finding]:
    """Asks a bundle's model with one thread (`model`) and with more.

    Answers are the same if they differ by no more than golden rows may: by the signature's tolerance. Asked twice in
    the same way, they must be the same to the bit.
    """
    try:
        asked = {1: _ask(model)} | {count: _ask(Model(folder, threads=count)) for count in THREADS}
    except _Unanswered as error:
        yield Finding("determinism", Verdict.BAD, str(error))
        return
    yield _compare_twice(asked)
    one = asked[1]
    ways = f"is {{got}} among {COMPANY} rows, but {{wanted}} alone"
    found = _compare(model, one.alone, one.together, ways)
    good = f"each golden row gets the same answer alone and among {COMPANY} rows"
    yield _tell("company", model, good, found)
    good = f"golden rows get the same answers with {_list_threads()} threads"
    yield _tell("threads", model, good, _compare_threads(model, asked))


def _ask(model: Model) -> _Asked:
    rows = len(model.golden.rows)
    places = [place % rows for place in range(COMPANY)]
    try:
        feeds = model.encode(golden_columns(model.golden))
        each = [
            model.answer({name: tensor[row : row + 1] for name, tensor in feeds.items()})
            for row in range(min(rows, COMPANY))
        ]
    except Exception as error:
        raise _Unanswered(f"golden rows are not answered one by one: {say_briefly(error)}") from error
    company = {name: tensor[places] for name, tensor in feeds.items()}
    try:
        together, again = model.answer(company), model.answer(company)
    except Exception as error:
        raise _Unanswered(f"{COMPANY} rows in one request are not answered: {say_briefly(error)}") from error
    alone = [np.concatenate(parts)[places] for parts in zip(*each, strict=True)]
    return _Asked(alone, together, again)


def _compare_twice(asked: dict[int, _Asked]) -> Finding:
    for count, one in asked.items():
        if not same_bits(one.together, one.again):
            threads = f"{count} thread{'s' if count > 1 else ''}"
            words = f"asked twice with {threads}, {_count_other(one)} of {COMPANY} rows get other bits the second time"
            return Finding("asked twice", Verdict.BAD, words)
    words = f"asked twice, {COMPANY} rows get the same bits with {_list_threads()} threads"
    return Finding("asked twice", Verdict.GOOD, words)


def _count_other(asked: _Asked) -> int:
    def of(answers: Answers, row: int) -> Answers:
        return [answer[row : row + 1] for answer in answers]

    return sum(not same_bits(of(asked.together, row), of(asked.again, row)) for row in range(COMPANY))


def _compare_threads(model: Model, asked: dict[int, _Asked]) -> str:
    """Like with like: what company changes is told already."""
    for count in THREADS:
        way = f"is {{got}} with {count} threads, but {{wanted}} with 1"
        for wanted, got in (
            (asked[1].alone, asked[count].alone),
            (asked[1].together, asked[count].together),
        ):
            if found := _compare(model, wanted, got, way):
                return found
    return ""


def _compare(model: Model, wanted: Answers, got: Answers, way: str) -> str:
    found = find_difference(model.signature, outputs_of(model.signature, wanted), got)
    if found is None:
        return ""
    row = found.row % len(model.golden.rows)
    return f"golden row {row}: {found.output} {way.format(got=found.got, wanted=found.wanted)}"


def _tell(subject: str, model: Model, good: str, bad: str) -> Finding:
    verdict = Verdict.BAD if bad else Verdict.GOOD
    return Finding(subject, verdict, f"{bad or good} (tolerance {model.signature.tolerance:g})")


def _list_threads() -> str:
    return f"1, {', '.join(map(str, THREADS[:-1]))} and {THREADS[-1]}"
