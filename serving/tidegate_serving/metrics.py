"""Metrics: the same counters as the snapshot's, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from tidegate.counts import LATENCY_BOUNDS_MS, ColumnCounts, Snapshot
from tidegate_serving.settings import Settings
from tidegate_serving.tallies import RequestTallies

METRICS_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_PREFIX: Final = "tidegate_predictor_"


def exposition(snapshot: Snapshot, requests: RequestTallies, settings: Settings, *, in_flight: int) -> bytes:
    """Gives the counters in Prometheus' text format. Labels are bounded by the bundle: feature names and bins."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SnapshotCollector(snapshot, requests.latency_sum_seconds, settings, in_flight))
    return generate_latest(registry)


@dataclass(frozen=True, eq=False)
class _SnapshotCollector(Collector):
    """One snapshot as metric families."""

    snapshot: Snapshot
    latency_sum_seconds: float
    settings: Settings
    in_flight: int

    def collect(self) -> Iterator[Metric]:
        yield self._info()
        yield self._requests()
        yield self._latency()
        yield GaugeMetricFamily(_PREFIX + "in_flight", "Requests being read or answered.", self.in_flight)
        yield CounterMetricFamily(_PREFIX + "rows", "Rows answered.", self.snapshot.rows)
        yield CounterMetricFamily(
            _PREFIX + "not_finite_rows",
            "Rows for which the model answered NaN or infinity.",
            self.snapshot.not_finite,
        )
        yield from self._features()
        if self.snapshot.prediction is not None:
            yield self._bins(
                "prediction_bin", "Predictions by bin of the baseline.", self.snapshot.prediction
            )

    def _info(self) -> Metric:
        family = GaugeMetricFamily(
            _PREFIX + "info", "Always 1; what is served.", labels=("model", "revision", "digest")
        )
        family.add_metric((self.settings.model, self.snapshot.revision, self.snapshot.digest), 1)
        return family

    def _requests(self) -> Metric:
        family = CounterMetricFamily(
            _PREFIX + "requests", "Requests for predictions by outcome.", labels=("outcome",)
        )
        for outcome, count in self.snapshot.requests.items():
            family.add_metric((outcome,), count)
        return family

    def _latency(self) -> Metric:
        bounds = [f"{bound / 1000:g}" for bound in LATENCY_BOUNDS_MS] + ["+Inf"]
        buckets = list(zip(bounds, accumulate(self.snapshot.latency), strict=True))
        return HistogramMetricFamily(
            _PREFIX + "latency_seconds",
            "Time from a request's head to its answer.",
            buckets=buckets,
            sum_value=self.latency_sum_seconds,
        )

    def _features(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            _PREFIX + "feature_values",
            "Values of a feature that are missing, unseen in training, or out of the range seen in training.",
            labels=("feature", "what"),
        )
        for name, counts in self.snapshot.features.items():
            family.add_metric((name, "missing"), counts.missing)
            family.add_metric((name, "unseen"), counts.unseen)
            family.add_metric((name, "out_of_range"), counts.out_of_range)
        yield family

    def _bins(self, name: str, meaning: str, counts: ColumnCounts) -> Metric:
        family = CounterMetricFamily(_PREFIX + name, meaning, labels=("bin",))
        for place, count in enumerate(counts.bins):
            family.add_metric((str(place),), count)
        return family
