"""MLServer with a custom runtime, since it has none for ONNX; inference in the server's own process.

Checks the request's form (pydantic), gives an id, counts requests for Prometheus, compresses where asked. Does not
look at the values. Adaptive batching is off by default; both ways are measured.
"""

import os

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxModel(MLModel):
    """Runs the graph on the first input."""

    async def load(self) -> bool:
        """Opens the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answers all rows in one call of ONNX Runtime."""
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float64, copy=False)
        labels, shares = self._session.run(None, {"numbers": rows})
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                NumpyCodec.encode_output("label", labels),
                NumpyCodec.encode_output("probabilities", shares),
            ],
        )
