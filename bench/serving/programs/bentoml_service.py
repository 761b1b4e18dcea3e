"""BentoML, one worker, input typed as an array, with and without its adaptive batching.

Checks shape and type of the array (pydantic and numpy), counts requests for Prometheus, traces. Its access log is off.
"""

import os
from typing import Annotated, Any

import bentoml
import numpy as np
import onnxruntime
from bentoml.validators import DType, Shape

BATCHING = "BENCH_BATCHING" in os.environ


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Bench:
    """Runs the graph."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)

    @bentoml.api(batchable=BATCHING, max_batch_size=64, max_latency_ms=1000)
    def predict(self, instances: Annotated[np.ndarray, Shape((-1, 30)), DType("float64")]) -> list[Any]:
        """Answers all rows at hand in one call of ONNX Runtime."""
        labels, shares = self._session.run(None, {"numbers": instances})
        pairs = zip(labels.tolist(), shares.tolist(), strict=True)
        return [{"label": label, "probabilities": share} for label, share in pairs]
