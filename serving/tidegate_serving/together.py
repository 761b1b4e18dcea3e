"""Together: several requests in one call of the graph, where that changes no bit of an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from tidegate.columns import Feeds
from tidegate_serving.bins import joined
from tidegate_serving.golden_rows import golden_columns
from tidegate_serving.model import Answers, Model

_SIZES: Final = (2, 3, 8, 21, 64)
"""Kernels take rows in blocks, and what is left over by themselves: these sizes put each row into both."""
_SECONDS: Final = 0.3
"""So long the comparison may take. A model too slow for it gains nothing from company."""


class Together:
    """Asks a model for several requests at once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.exact = _answers_alike(model)
        """Whether the golden rows get the same bits alone and in company; otherwise each is asked for alone."""

    def answer(self, requests: Sequence[Feeds]) -> list[Answers | Exception]:
        """Gives for each request what it would have got alone: an answer, or what was raised."""
        if self.exact and len(requests) > 1:
            try:
                answers = self._model.answer(joined(requests))
            except Exception:  # noqa: BLE001, S110 - one request's trouble: alone, each gets its own
                pass
            else:
                return list(_split(answers, [_rows(feeds) for feeds in requests]))
        return [self._alone(feeds) for feeds in requests]

    def _alone(self, feeds: Feeds) -> Answers | Exception:
        try:
            return self._model.answer(feeds)
        except Exception as error:  # noqa: BLE001 - for whom it concerns
            return error


def _answers_alike(model: Model) -> bool:
    give_up = time.monotonic() + _SECONDS
    feeds = model.encode(golden_columns(model.golden))
    rows = [{name: tensor[row : row + 1] for name, tensor in feeds.items()} for row in range(_rows(feeds))]
    try:
        alone = [model.answer(row) for row in rows]
        for size in _SIZES:
            for first in range(len(rows)):
                places = [(first + step) % len(rows) for step in range(size)]
                answers = model.answer(joined([rows[place] for place in places]))
                parts = _split(answers, [1] * size)
                if not all(same_bits(alone[place], part) for place, part in zip(places, parts, strict=True)):
                    return False
                if time.monotonic() > give_up:
                    return False
    except Exception:  # noqa: BLE001 - such as a graph that takes one row and no more
        return False
    return True


def _rows(feeds: Feeds) -> int:
    return len(next(iter(feeds.values())))


def _split(answers: Answers, sizes: Sequence[int]) -> Iterator[Answers]:
    start = 0
    for size in sizes:
        yield [answer[start : start + size] for answer in answers]
        start += size


def same_bits(one: Answers, other: Answers) -> bool:
    """Whether two answers are one and the same, NaN and the sign of zero included."""
    return all(
        a.dtype == b.dtype and (a.tolist() == b.tolist() if a.dtype.hasobject else a.tobytes() == b.tobytes())
        for a, b in zip(one, other, strict=True)
    )
