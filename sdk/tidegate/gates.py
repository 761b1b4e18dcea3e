"""Gates as users write them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from tidegate.expectations import Expectation
from tidegate.quantities import AGE, DURATION, PERCENTAGE

NUMBER: Final = r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$"
SHARE: Final = r"^[0-9]{1,2}%$"
NAME: Final = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"

Duration = Annotated[str, msgspec.Meta(pattern=DURATION)]
"""Such as "500ms", "30s" or "1m30s"."""
Number = Annotated[str, msgspec.Meta(pattern=NUMBER)]
"""A decimal number written as text, such as "0.85": resources have no floats."""
Percentage = Annotated[str, msgspec.Meta(pattern=PERCENTAGE)]
"""Such as "5%" or "0.5%"."""
Age = Annotated[str, msgspec.Meta(pattern=AGE)]
"""In days or hours, such as "30d" or "36h"."""


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """What a user writes: a field that we do not know is a mistake."""


class SecretReference(_Written, frozen=True):
    """A Secret of the namespace in which the gates are run."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    """Name of the Secret."""


class DataSet(_Written, frozen=True):
    """Rows that were held out of training, with their labels."""

    uri: str
    """Where the file lies: a Parquet or CSV file, such as s3://lake/holdout-2026-01.parquet."""
    label: str
    """Column with what is to be predicted."""
    digest: str = ""
    """SHA-256 of the file, sha256: and 64 hexadecimal digits. Default: none, the file is taken as it is."""
    secret_ref: SecretReference | None = None
    """In a cluster: Secret with the store's keys. Default: none; elsewhere the environment has them."""


class Comparison(_Written, frozen=True):
    """By how much the candidate may be worse than the version in service, on the same rows."""

    tolerance: Number | None = None
    """Harm that is accepted, in the metric's unit, such as "0.005". Default: 0.005 for accuracy and auc, 0.02 for
    precision, recall and f1, 0.01 for r2; of losses and errors 2 % of what the version in service has."""
    detect: Number | None = None
    """Harm that must not pass, such as "0.03": who passes has shown less. Default: 0.03 for accuracy and auc, 0.1 for
    precision, recall and f1, 0.05 for r2; of losses and errors 10 % of what the version in service has."""


class Metric(_Written, frozen=True):
    """One figure of the held-out rows, and what is wanted of it."""

    name: str
    """Such as accuracy, auc, logLoss, brier, calibrationError, f1, precision, recall, rmse, mae, r2, quantileLoss."""
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


class Slices(_Written, frozen=True):
    """Groups of rows that are compared by themselves, so that a better average hides none that is served worse."""

    column: str
    """Column whose values make the groups, such as region; it need not be a feature."""
    detect: Number | None = None
    """Harm that must not pass in a group, in the metric's unit. Default: three times the metric's own, and a third:
    a group has a tenth of the rows."""


class PerformanceGate(_Written, frozen=True):
    """How well the model predicts rows that it was not trained on."""

    data: DataSet
    metrics: Annotated[tuple[Metric, ...], msgspec.Meta(min_length=1, max_length=20)]
    """Figures of these rows, and what is wanted of them, 1 to 20."""
    slices: Annotated[tuple[Slices, ...], msgspec.Meta(max_length=10)] = ()
    """Columns whose values make groups that are compared by themselves, at most 10. Default: none."""
    least_rows: Annotated[int, msgspec.Meta(ge=30)] = 200
    """Rows from which on a group is judged. Default: 200; with fewer, a difference that matters can't be told from
    noise."""
    level: Number = "0.05"
    """Chance that noise blocks a candidate whose harm is accepted, by all comparisons of the gate together; and that
    one passes whose harm must not. Default: 0.05, one in twenty."""


class Latency(_Written, frozen=True):
    """How long answers may take."""

    p50: Duration | None = None
    """Half of the answers. Default: no limit, the figure is told."""
    p99: Duration | None = None
    """All but one in a hundred. Default: no limit, the figure is told."""


class ServingGate(_Written, frozen=True):
    """How the version serves under the limits that its pods will have, asked over HTTP with its own golden rows."""

    ready_within: Duration | None = None
    """From the predictor's start until it can answer. Default: no limit, the figure is told."""
    first_answer_within: Duration | None = None
    """The first request, which meets cold caches. Default: no limit, the figure is told."""
    latency: Latency = Latency()
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    """Requests under way at the same time. Default: 1."""
    requests_per_second: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    """Requests that begin in a second, whatever the answers do. Default: 0, each of those under way is followed by
    the next."""
    rows_per_request: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    """Rows of a request. Default: 1."""
    duration: Duration = "10s"
    """How long it is asked. Default: 10s, in which a model that takes 1 ms answers ten thousand times."""
    throughput_per_core: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Requests that must be answered in a second for each core of the limit. Default: no limit, the figure is told."""
    memory_headroom: Annotated[str, msgspec.Meta(pattern=SHARE)] = "10%"
    """Share of the memory limit that must be free at the peak. Default: 10%, for what a busier day takes."""


class Sample(_Written, frozen=True):
    """Rows that expectations are tried on beside the golden rows; they need no label."""

    uri: str
    """Where the file lies: a Parquet or CSV file, such as s3://lake/holdout-2026-01.parquet."""
    digest: str = ""
    """SHA-256 of the file, sha256: and 64 hexadecimal digits. Default: none, the file is taken as it is."""
    secret_ref: SecretReference | None = None
    """In a cluster: Secret with the store's keys. Default: none; elsewhere the environment has them."""
    rows: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000
    """How many are taken at most, spread over the file. Default: 1000."""


class BehaviourGate(_Written, frozen=True):
    """Whether the model does what whoever knows the subject expects of it, and answers what it must be able to."""

    expectations: Annotated[tuple[Expectation, ...], msgspec.Meta(max_length=50)] = ()
    """Held beside those that the bundle declares. Default: those of the bundle alone."""
    keep_expectations: bool = True
    """Whether what the version in service declares is held too, where this one declares it no longer. Default: true,
    since a version that was spared a question would not be noticed."""
    data: Sample | None = None
    """More rows to try expectations on. Default: the golden rows alone."""


class ContractGate(_Written, frozen=True):
    """Whether the version answers every endpoint that callers use, in the form that the version in service has."""

    allow_change: bool = False
    """Whether inputs and outputs may have another form. Default: false, since callers who know nothing of it fail, or
    misread what they get; true says that they have been changed."""


class _OfFeatures(_Written, frozen=True):
    """What is asked of each feature by itself."""

    except_for: Annotated[tuple[str, ...], msgspec.Meta(max_length=500)] = ()
    """Features that it is not asked of, such as a count of days that grows for ever. Default: none."""


class MissingValues(_OfFeatures, frozen=True):
    """How often a feature may be missing."""

    at_most: Percentage | None = None
    """Share of the rows in which it may be missing. Default: no such limit, since what is usual for a feature only
    its sample says."""
    change: Percentage = "5%"
    """By how many points that share may differ from the sample's, either way: a join that fails empties a column, and
    a gap that is filled with zeros is one that nobody sees. Default: 5%; seasons do less, such faults do more."""


class OutsideSample(_OfFeatures, frozen=True):
    """How many values of a feature may be such as the version's sample has none of."""

    at_most: Percentage = "1%"
    """Share of the values. Default: 1%; a customer like no other is rarer, a wrong unit or a new code is not. What a
    small sample leaves to chance comes on top."""


class Leakage(_OfFeatures, frozen=True):
    """How much of the label one feature alone may surely tell: what gives it away was written down after it was known.

    From 0, as good as chance, to 1, without mistake. Two classes: twice the area under the ROC curve, less one. More
    classes: share of the mistakes of always naming the most frequent one that are avoided. Numbers: share of the
    variance of the label's rank that is explained.
    """

    at_most: Number = "0.975"
    """Default: 0.975, for two classes an area of 0.9875, from which on DataRobot leaves a feature out as a leak of high
    risk. Honest features that good are rare; put them into exceptFor."""
    least_rows: Annotated[int, msgspec.Meta(ge=100)] = 200
    """Rows from which on it is told. Default: 200; in fewer, a good feature and a leak look alike."""


class DataQualityGate(_Written, frozen=True):
    """Whether held-out rows are fit to judge by, held against the version's own signature and sample."""

    data: DataSet
    missing: MissingValues = MissingValues()
    outside_range: OutsideSample = OutsideSample()
    """Numbers below the smallest or above the largest value of the sample."""
    unseen: OutsideSample = OutsideSample()
    """Texts and categories that the sample has not."""
    repeated_rows: Percentage = "5%"
    """Share of the rows that may repeat another one in every column, those too that are no features. Default: 5%, as
    Deepchecks has it; more is a join gone wrong, unless there are few columns of few values."""
    leakage: Leakage = Leakage()
    shared_rows_level: Number = "0.01"
    """Chance that rows which have nothing to do with the version's sample are taken for rows of it, since rows may be
    alike. Default: 0.01, so that one golden row found among a thousand that all differ is enough."""
    time_column: str = ""
    """Column with the time of each row; without a zone, it is UTC. Default: none."""
    not_older_than: Age | None = None
    """Age that the newest row may have, such as "30d"; goes with timeColumn. Default: no limit."""

    def __post_init__(self) -> None:
        """Msgspec makes a validation error of this."""
        if bool(self.time_column) is (self.not_older_than is None):
            raise ValueError("timeColumn and notOlderThan are written together, or neither of them")


class JobGate(_Written, frozen=True):
    """A program of your own: exit code 0 is Good, 1 is Bad, any other is NotEnough; its last words are the sentence.

    It finds the bundle in the folder TIDEGATE_BUNDLE, and the predictor under its limits at TIDEGATE_PREDICTOR.
    """

    image: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    """Container image, such as registry.example/fairness:3; by digest, if it shall be the same next year."""
    command: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=4096)], ...], msgspec.Meta(max_length=50)
    ] = ()
    """What it runs. Default: what the image says."""
    secret_ref: SecretReference | None = None
    """Secret that it gets as files in the folder TIDEGATE_CREDENTIALS. Default: none."""


class Gate(_Written, frozen=True):
    """One gate: what a candidate has to show before it gets any traffic. It is of one kind."""

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    """What it is called in reports, such as predicts-well; each gate of a list has its own."""
    performance: PerformanceGate | None = None
    serving: ServingGate | None = None
    data_quality: DataQualityGate | None = None
    behaviour: BehaviourGate | None = None
    contract: ContractGate | None = None
    job: JobGate | None = None

    def __post_init__(self) -> None:
        """Msgspec makes a validation error of this."""
        kinds = self.__struct_encode_fields__[1:]  # all but the name
        written = [kind for kind in msgspec.structs.astuple(self)[1:] if kind is not None]
        if len(written) != 1:
            raise ValueError(f"gate {self.name} has exactly one of {', '.join(kinds[:-1])} and {kinds[-1]}")

    @property
    def is_own(self) -> bool:
        """Whether a program of the user's decides."""
        return self.job is not None

    @property
    def data(self) -> DataSet | Sample | None:
        """The rows that it reads, if it reads any."""
        kind = self.performance or self.data_quality or self.behaviour
        return kind.data if kind else None
