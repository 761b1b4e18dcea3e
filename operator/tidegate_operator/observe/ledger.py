"""The ledger: cumulative counters of many processes, as exact increments since the last plan that was stored."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

Counts = tuple[int, ...]


class Ledger:
    """Counts pending for each subject until the plan that used them is stored; nothing is counted twice or lost.

    A subject is what is judged (a revision), a source one process that counts (a router's Envoy).
    """

    def __init__(self) -> None:
        self._seen: dict[Hashable, dict[Hashable, Counts]] = {}
        self._pending: dict[Hashable, Counts] = {}

    def record(self, source: Hashable, reading: Mapping[Hashable, Counts], *, fresh: bool) -> None:
        """Take all that a source has counted so far, by subject.

        Fresh: the source began after the ledger, so all of its first reading is news. Else the first reading is
        where counting starts. A subject that a known source tells for the first time began at zero there, and a
        value that shrank means that the process began anew.
        """
        first = source not in self._seen
        known = self._seen.setdefault(source, {})
        for subject, counts in reading.items():
            zero = (0,) * len(counts)
            before = known.get(subject, counts if first and not fresh else zero)
            if any(now < then for now, then in zip(counts, before, strict=True)):
                before = zero
            known[subject] = counts
            self._add(subject, tuple(now - then for now, then in zip(counts, before, strict=True)))

    def pending_of(self, subject: Hashable) -> Counts:
        """What was counted since the last commit; empty if nothing was ever read."""
        return self._pending.get(subject, ())

    def commit(self, subject: Hashable, used: Counts) -> None:
        """The plan that used these counts is stored; what came since stays pending."""
        if used:
            self._add(subject, tuple(-count for count in used))

    def rebase(self, subject: Hashable) -> None:
        """Drop what is pending: it was counted under another split of traffic."""
        self._pending.pop(subject, None)

    def forget(self, *, sources: Iterable[Hashable] = (), subjects: Iterable[Hashable] = ()) -> None:
        """Sources that are gone for good (what they counted stays pending), and subjects that nobody asks for."""
        for source in sources:
            self._seen.pop(source, None)
        for subject in subjects:
            self._pending.pop(subject, None)

    def _add(self, subject: Hashable, counts: Counts) -> None:
        pending = self._pending.get(subject)
        self._pending[subject] = (
            tuple(a + b for a, b in zip(pending, counts, strict=True)) if pending else counts
        )
