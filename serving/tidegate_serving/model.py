"""The loaded model: columns in, finite answers out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tidegate.bundle import MODEL_NAME, SIGNATURE_NAME
from tidegate.columns import Columns, ColumnsCodec, Feeds
from tidegate.contents import Contents, UnfitBundle, read_contents, unknown_operator
from tidegate.onnx_wire import Operator
from tidegate.pod import StartFailure
from tidegate.signature import Task
from tidegate_serving.errors import CannotStart, NotFinite
from tidegate_serving.memory import read_room, shown

Answers = list[NDArray[Any]]
"""One array an output, in the order of the signature."""

_UNKNOWN_OPERATOR: Final = re.compile(
    r"((?P<domain>[\w.]+):)?(?P<name>\w+)\(-?\d+\) is not a registered function/op"
    r"|No Op registered for (?P<unregistered>\w+) with"
)


class Model:
    """One bundle's graph with what its signature and baseline say of it."""

    def __init__(self, folder: Path, *, threads: int, memory_bytes: int | None = None) -> None:
        _require_room(folder / MODEL_NAME, memory_bytes)
        contents = _read_contents(folder)
        self.signature, self.baseline, self.golden = contents.signature, contents.baseline, contents.golden
        self.feature_names = tuple(feature.name for feature in self.signature.features)
        self._session = _open_session(folder, threads)
        self._require_tensors()
        self._codec = ColumnsCodec(self.signature)
        self._output_names = [output.name for output in self.signature.outputs]

    def encode(self, columns: Columns) -> Feeds:
        """Gives the graph's feeds.

        Raises:
            tidegate.columns.InvalidInput: With the feature and what was expected of it.
        """
        return self._codec.encode(columns)

    def run(self, feeds: Feeds) -> Answers:
        """Runs the graph, whatever it answers."""
        answers: Answers = self._session.run(self._output_names, feeds)
        return answers

    def answer(self, feeds: Feeds) -> Answers:
        """Runs the graph, and looks whether its answers are numbers.

        Raises:
            NotFinite: An output holds NaN or infinity.
        """
        answers = self.run(feeds)
        for answer in answers:
            if answer.dtype.kind == "f" and not np.isfinite(answer).all():
                finite = np.isfinite(answer.reshape(len(answer), -1)).all(axis=1)
                raise NotFinite(int(len(answer) - finite.sum()))
        return answers

    def prediction(self, answers: Answers) -> NDArray[Any]:
        """Gives what the baseline's prediction histogram counts, one a row."""
        match self.signature.task:
            case Task.BINARY:
                shares = answers[-1]
                return shares[:, -1] if shares.ndim > 1 else shares
            case Task.MULTICLASS | Task.REGRESSION:
                return answers[0].reshape(-1)

    def _require_tensors(self) -> None:
        """A signature that names other tensors than the graph has would fail every request."""
        has = {tensor.name for tensor in self._session.get_inputs()}
        needed = {tensor.name for tensor in self.signature.inputs}
        outputs = {tensor.name for tensor in self._session.get_outputs()}
        if has != needed or not outputs.issuperset(tensor.name for tensor in self.signature.outputs):
            raise CannotStart(
                StartFailure.MODEL_INVALID,
                f"{MODEL_NAME} takes {sorted(has)} and answers {sorted(outputs)}, which is not what "
                f"{SIGNATURE_NAME} says",
            )


def _read_contents(folder: Path) -> Contents:
    try:
        return read_contents(folder)
    except UnfitBundle as unfit:
        raise CannotStart(unfit.reason, unfit.message) from unfit


def _require_room(path: Path, memory_bytes: int | None) -> None:
    """What is larger than the room left can't be loaded; the kernel would end the process without a word."""
    room = read_room(memory_bytes)
    if room is not None and memory_bytes is not None and path.is_file() and path.stat().st_size > room:
        raise CannotStart(
            StartFailure.MODEL_INVALID,
            f"{path.name} has {shown(path.stat().st_size)}, but of the pod's memory limit of {shown(memory_bytes)} "
            f"only {shown(room)} are left for it; raise spec.serving.resources.limits.memory",
        )


def _open_session(folder: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads that spin eat the CPU limit, and the pod is throttled just when it is asked.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena never gives memory back: one large batch would be charged against the limit for ever.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(folder / MODEL_NAME), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions share no public base
        raise _unloadable(str(error).strip().split("\n", 1)[0]) from error


def _unloadable(reason: str) -> CannotStart:
    unknown = _UNKNOWN_OPERATOR.search(reason)
    if unknown:
        unfit = unknown_operator(
            Operator(unknown["domain"] or "", unknown["name"] or unknown["unregistered"])
        )
        return CannotStart(unfit.reason, unfit.message)
    return CannotStart(
        StartFailure.MODEL_INVALID,
        f"ONNX Runtime {onnxruntime.__version__} can't load {MODEL_NAME}: {reason[:300]}",
    )
