"""FastAPI as its tutorial has it, run by `fastapi run`: models for request and answer, a plain `def` endpoint.

Checks and converts every value (pydantic), writes an access log. Gives no ids and counts nothing.
"""

import os
from typing import Annotated

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel, Field

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)

Row = Annotated[list[float], Field(min_length=30, max_length=30)]


class Rows(BaseModel):
    """What is sent."""

    instances: list[Row]


class Prediction(BaseModel):
    """What one row gets."""

    label: int
    probabilities: list[float]


class Predictions(BaseModel):
    """What is answered."""

    predictions: list[Prediction]


app = FastAPI()


@app.post("/v1/models/bench:predict")
def predict(rows: Rows) -> Predictions:
    """Answers all rows in one call of ONNX Runtime."""
    labels, shares = session.run(None, {"numbers": np.array(rows.instances)})
    pairs = zip(labels.tolist(), shares.tolist(), strict=True)
    return Predictions(predictions=[Prediction(label=label, probabilities=share) for label, share in pairs])
