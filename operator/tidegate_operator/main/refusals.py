"""Refusals: what the API server said no to at the last look at each key, for the plan to tell."""

from __future__ import annotations

from tidegate_operator.observe.store import Key


class Refusals:
    """Sentences by key; an operator that starts anew learns them again at its first look."""

    def __init__(self) -> None:
        self._sentences: dict[Key, str] = {}

    def note(self, key: Key, sentence: str) -> bool:
        """Take a look's outcome into account, empty if nothing was refused; true if it is news."""
        before = self._sentences.pop(key, "")
        if sentence:
            self._sentences[key] = sentence
        return sentence != before

    def concerning(self, key: Key) -> str:
        """What was refused to a ModelDeployment, or to the router that all models of its namespace stand behind."""
        return self._sentences.get(key) or self._sentences.get(Key(key.namespace), "")
