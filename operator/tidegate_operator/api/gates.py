"""Gates: what a candidate has to show before it gets any traffic, as `spec.gates` writes it.

`tidegate.gates` reads the same words on a laptop; a test holds the two equal.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from tidegate_operator.api.fields import (
    Digest,
    GateName,
    Name,
    Number,
    PositiveDuration,
    Share,
    refuse_unless,
)
from tidegate_operator.api.resource import Written

MOST_GATES = 20


class SecretReference(Written):
    """A Secret of the same namespace."""

    name: Name
    """Name of the Secret."""


class DataSet(Written):
    """Rows that were held out of training, with their labels."""

    uri: Annotated[str, Field(min_length=1, max_length=1024)]
    """Where the file lies: a .parquet or .csv file behind s3://, gs://, az://, http://, https:// or pvc://, such as
    s3://lake/holdout-2026-01.parquet.
    """
    label: Annotated[str, Field(min_length=1, max_length=253)]
    """Column with what is to be predicted."""
    digest: Digest | None = None
    """SHA-256 of the file, sha256: and 64 hexadecimal digits. Default: none, the file is taken as it is."""
    secret_ref: SecretReference | None = None
    """Secret with the store's keys, as for a ModelVersion. Default: none, the store needs no keys."""


class Comparison(Written):
    """By how much the candidate may be worse than the version in service, on the same rows."""

    tolerance: Number | None = None
    """Harm that is accepted, in the metric's unit, such as "0.005". Default: 0.005 for accuracy and auc, 0.02
    for precision, recall and f1, 0.01 for r2; of losses and errors 2 % of what the version in service has.
    """
    detect: Number | None = None
    """Harm that must not pass, such as "0.03": who passes has shown less. Default: 0.03 for accuracy and auc,
    0.1 for precision, recall and f1, 0.05 for r2; of losses and errors 10 % of what the version in service has.
    """


class Metric(Written):
    """One figure of the held-out rows, and what is wanted of it."""

    name: Annotated[str, Field(min_length=1, max_length=63)]
    """Such as accuracy, auc, logLoss, brier, calibrationError, f1, precision, recall, rmse, mae, r2,
    quantileLoss.
    """
    at_least: Number | None = None
    """The figure itself must not be below. Default: no such limit."""
    at_most: Number | None = None
    """The figure itself must not be above. Default: no such limit."""
    compared: Comparison | None = None
    """Compared with the version in service. Default: only where neither atLeast nor atMost is written."""
    threshold: Number = "0.5"
    """Binary models call a row positive from this probability on. Default: 0.5."""
    quantile: Number = "0.5"
    """quantileLoss only: the quantile that the answer is meant to be. Default: 0.5, the median."""


class Slices(Written):
    """Groups of rows that are compared by themselves, so that a better average hides none that is served worse."""

    column: Annotated[str, Field(min_length=1, max_length=253)]
    """Column whose values make the groups, such as region; it need not be a feature."""
    detect: Number | None = None
    """Harm that must not pass in a group, in the metric's unit. Default: three times the metric's own, and a
    third: a group has a tenth of the rows.
    """


class PerformanceGate(Written):
    """How well the model predicts rows that it was not trained on."""

    data: DataSet
    """Rows that were held out of training, with their labels."""
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=20)]
    """Figures of these rows, and what is wanted of them. 1 to 20."""
    slices: Annotated[tuple[Slices, ...], Field(max_length=10)] = ()
    """Columns whose values make groups that are compared by themselves. At most 10. Default: none."""
    least_rows: Annotated[int, Field(ge=30)] = 200
    """Rows from which on a group is judged. Default: 200; with fewer, a difference that matters can't be told
    from noise.
    """
    level: Number = "0.05"
    """Chance that noise blocks a candidate whose harm is accepted, by all comparisons of the gate together; and
    that one passes whose harm must not. Default: 0.05, one in twenty.
    """


class Latency(Written):
    """How long answers may take."""

    p50: PositiveDuration | None = None
    """Half of the answers. Default: no limit, the figure is told."""
    p99: PositiveDuration | None = None
    """All but one in a hundred. Default: no limit, the figure is told."""


class ServingGate(Written):
    """How the version serves under the limits that its pods will have, asked over HTTP with its own golden rows."""

    ready_within: PositiveDuration | None = None
    """From the predictor's start until it can answer. Default: no limit, the figure is told."""
    first_answer_within: PositiveDuration | None = None
    """The first request, which meets cold caches. Default: no limit, the figure is told."""
    latency: Latency = Latency()
    """How long answers may take."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 1
    """Requests under way at the same time, 1 to 1000. Default: 1."""
    requests_per_second: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Requests that begin in a second, whatever the answers do, 0 to 100000. Default: 0, each of those under way
    is followed by the next.
    """
    rows_per_request: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Rows of a request, 1 to 10000. Default: 1."""
    duration: PositiveDuration = "10s"
    """How long it is asked. Default: 10s, in which a model that takes 1 ms answers ten thousand times."""
    throughput_per_core: Annotated[int, Field(ge=1)] | None = None
    """Requests that must be answered in a second for each core of the limit. Default: no limit, the figure is
    told.
    """
    memory_headroom: Share = "10%"
    """Share of the memory limit that must be free at the peak. Default: 10%, for what a busier day takes."""


class Gate(Written):
    """One gate: what a candidate has to show before it gets any traffic. It is of one kind."""

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "[has(self.performance), has(self.serving)].exists_one(kind, kind)",
                "a gate has exactly one of performance and serving; write two gates for both",
            )
        )
    )

    name: GateName
    """What it is called in reports, such as predicts-well; each gate of a list has its own."""
    performance: PerformanceGate | None = None
    """How well the model predicts rows that it was not trained on. Default: none."""
    serving: ServingGate | None = None
    """How the version serves under the limits that its pods will have. Default: none."""


Gates = Annotated[
    tuple[Gate, ...],
    Field(
        max_length=MOST_GATES,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    ),
]
