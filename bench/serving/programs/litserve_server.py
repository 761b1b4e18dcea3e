"""LitServe, one API server and one worker, with and without batching, with its faster queue.

Checks that the body is JSON and nothing more. Gives no ids and counts nothing.
"""

import os

import litserve
import numpy as np
import onnxruntime


class Bench(litserve.LitAPI):
    """Runs the graph."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - there is one
        """Opens the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)

    def decode_request(self, request: dict) -> np.ndarray:
        """Gives the rows of one request."""
        return np.array(request["instances"], dtype=np.float64)

    def predict(self, rows: np.ndarray) -> list:
        """Answers all rows in one call of ONNX Runtime."""
        labels, shares = self._session.run(None, {"numbers": rows})
        pairs = zip(labels.tolist(), shares.tolist(), strict=True)
        return [{"label": label, "probabilities": share} for label, share in pairs]

    def batch(self, inputs: list) -> np.ndarray:
        """Joins the rows of several requests."""
        self._sizes = [len(rows) for rows in inputs]
        return np.concatenate(inputs)

    def unbatch(self, output: list) -> list:
        """Parts the answers again."""
        ends = np.cumsum(self._sizes)
        return [output[end - size : end] for end, size in zip(ends, self._sizes, strict=True)]

    def encode_response(self, output: list) -> dict:
        """Gives the body of an answer."""
        return {"predictions": output}


if __name__ == "__main__":
    batching = {"max_batch_size": 16, "batch_timeout": 0.001} if "BENCH_BATCHING" in os.environ else {}
    server = litserve.LitServer(Bench(**batching), accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        num_api_servers=1,
        log_level="error",
        generate_client_file=False,
        access_log=False,
    )
