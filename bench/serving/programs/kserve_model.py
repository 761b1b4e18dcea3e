"""KServe's Python server, one worker, with a model class of its SDK.

Checks the request's form, gives an id, counts latencies for Prometheus. Does not look at the values. Without gRPC, and
without the line a request that it logs by default.
"""

import os

import kserve
import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse
from kserve.utils.utils import generate_uuid


class OnnxModel(kserve.Model):
    """Runs the graph on the first input."""

    def __init__(self) -> None:
        super().__init__("bench")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        self.ready = True

    async def predict(self, payload: InferRequest, *_: object, **__: object) -> InferResponse:
        """Answers all rows in one call of ONNX Runtime."""
        labels, shares = self._session.run(None, {"numbers": payload.inputs[0].as_numpy()})
        outputs = []
        for name, datatype, answer in (("label", "INT64", labels), ("probabilities", "FP64", shares)):
            output = InferOutput(name=name, shape=list(answer.shape), datatype=datatype)
            output.set_data_from_numpy(answer, binary_data=False)
            outputs.append(output)
        return InferResponse(payload.id or generate_uuid(), self.name, outputs)


if __name__ == "__main__":
    kserve.ModelServer(
        http_port=int(os.environ["BENCH_PORT"]), enable_grpc=False, enable_latency_logging=False
    ).start([OnnxModel()])
