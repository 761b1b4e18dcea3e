"""From a model's raw scores to its answers: links, labels, and the names that callers see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tidegate.packaging.graph import Graph
from tidegate.signature import Task

LABEL: Final = "label"
PROBABILITIES: Final = "probabilities"
PREDICTION: Final = "prediction"


@dataclass(frozen=True, slots=True)
class Answer:
    """The graph's answer to a row: `probabilities` of shape [rows, classes], or `prediction` of shape [rows]."""

    probabilities: str = ""
    prediction: str = ""
    label: str = ""
    """Empty: the class of the largest probability."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the native model's answers mean."""

    task: Task
    classes: tuple[Any, ...] = ()
    """As the native model gives them; in the order of its probabilities."""

    def class_names(self) -> tuple[str, ...]:
        """Gives the classes as text, for the signature."""
        return tuple(str(int(value) if self.whole() else value) for value in self.classes)

    def whole(self) -> bool:
        """Whether the labels are whole numbers; they are then answered as such, else as text."""
        return all(
            isinstance(value, int | float | np.integer | np.floating)
            and not isinstance(value, bool)
            and float(value).is_integer()
            for value in self.classes
        )


def meaning_of_classes(classes: Sequence[Any]) -> Meaning:
    """Gives the task of a classifier."""
    return Meaning(Task.BINARY if len(classes) == 2 else Task.MULTICLASS, tuple(classes))


def flat(graph: Graph, tensor: str) -> str:
    """Gives a [rows, 1] tensor as [rows] doubles."""
    return graph.add("Reshape", graph.to_float64(tensor), graph.constant([-1], np.int64))


def binary_probabilities(graph: Graph, scores: str) -> str:
    """Gives [1 - σ(score), σ(score)] of a [rows, 1] score."""
    positive = graph.add("Sigmoid", graph.to_float64(scores))
    return with_complement(graph, positive)


def with_complement(graph: Graph, positive: str) -> str:
    """Gives [1 - p, p] of a [rows, 1] probability."""
    negative = graph.add("Sub", graph.constant([[1.0]]), positive)
    return graph.add("Concat", negative, positive, axis=1)


def softmax_probabilities(graph: Graph, scores: str) -> str:
    """Gives the softmax of [rows, classes] scores."""
    return graph.add("Softmax", graph.to_float64(scores), axis=1)


def name_outputs(graph: Graph, answer: Answer, meaning: Meaning) -> None:
    """Ends the graph with the output names of the signature."""
    if meaning.task is Task.REGRESSION:
        _rename(graph, answer.prediction, PREDICTION)
        return
    label = answer.label
    if not label:
        best = graph.add("ArgMax", answer.probabilities, axis=1, keepdims=0)
        names = (
            graph.constant([int(value) for value in meaning.classes], np.int64)
            if meaning.whole()
            else graph.constant(meaning.class_names(), np.object_)
        )
        label = graph.add("Gather", names, best, axis=0)
    _rename(graph, label, LABEL)
    _rename(graph, graph.to_float64(answer.probabilities), PROBABILITIES)


def _rename(graph: Graph, tensor: str, name: str) -> None:
    graph.add("Identity", tensor)
    graph.nodes[-1].output[0] = name
