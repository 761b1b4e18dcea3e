"""The snapshot counts what was asked and answered, on the baseline's bins."""

import httpx
import msgspec
import numpy as np
import pytest
from tests.unit.serving.bundles import BASELINE

from tidegate.baseline import Histogram
from tidegate.counts import Snapshot
from tidegate_serving.bins import ColumnBins


@pytest.fixture
def fresh(start_server, bundle):
    """A predictor that nobody has asked yet."""
    folder, digest = bundle
    server = start_server(folder.as_uri(), digest)
    server.until_status("/v2/health/ready", 200)
    return server


def predict(server, *rows):
    return httpx.post(f"{server.url}/v1/models/fraud:predict", json={"instances": rows}).status_code


def snapshot(server) -> Snapshot:
    return msgspec.json.decode(httpx.get(f"{server.url}/internal/snapshot").content, type=Snapshot)


def test_rows_requests_and_bins_are_counted(fresh):
    assert predict(fresh, [0.7, 2, "DE"], [None, 1, "ES"], [500, 99, "FR"]) == 200
    assert predict(fresh, [1e30, 2, "DE"]) == 500
    assert predict(fresh, ["x", 2, "DE"]) == 400
    counts = snapshot(fresh)
    assert counts.requests == {"ok": 1, "invalid": 1, "overloaded": 0, "failed": 1}
    assert (counts.rows, counts.not_finite, sum(counts.latency)) == (3, 1, 3)
    amount, visits, country = (counts.features[name] for name in BASELINE.features)
    assert (amount.bins, amount.missing, amount.out_of_range) == ((0, 1, 1), 1, 1)
    assert (visits.bins, visits.out_of_range) == ((1, 2), 1)
    assert (country.bins, country.unseen) == ((1, 1), 1)
    assert counts.prediction is not None
    assert (counts.prediction.bins, counts.prediction.out_of_range) == ((2, 1), 1)


def test_large_batches_count_as_many_single_rows_would(fresh):
    rows = [[amount, visits, "DE"] for amount in (0.1, 0.7, 50) for visits in range(5)]
    for row in rows:
        predict(fresh, row)
    single = snapshot(fresh)
    predict(fresh, *rows * 1000)
    batch = snapshot(fresh)
    for name, column in single.features.items():
        assert batch.features[name].bins == tuple(1001 * count for count in column.bins)
    assert batch.rows == 1001 * single.rows


def test_prometheus_gets_the_same_counters(fresh):
    predict(fresh, [None, 2, "ES"])
    lines = httpx.get(f"{fresh.url}/metrics").text.splitlines()
    assert 'tidegate_predictor_requests_total{outcome="ok"} 1.0' in lines
    assert 'tidegate_predictor_feature_values_total{feature="amount",what="missing"} 1.0' in lines
    assert 'tidegate_predictor_feature_values_total{feature="country",what="unseen"} 1.0' in lines
    assert 'tidegate_predictor_latency_seconds_bucket{le="+Inf"} 1.0' in lines


def test_a_value_at_an_edge_stays_in_its_bin_in_float32():
    bins = ColumnBins(Histogram(edges=(0.7,), counts=(1, 1)), dtype=np.float32)
    assert bins.count(np.array([0.7], dtype=np.float32)).bins.tolist() == [0, 1]


def test_booleans_are_counted_as_numbers_and_as_booleans():
    bins = ColumnBins(Histogram(values=("false", "true"), counts=(1, 1)))
    assert bins.count(np.array([1.0, 0.0, 1.0, np.nan])).bins.tolist() == [1, 2]
    assert bins.count(np.array([1.0, np.nan])).missing == 1
    assert bins.count(np.array([True, False])).bins.tolist() == [1, 1]


def test_what_stands_for_a_missing_text_counts_as_missing():
    bins = ColumnBins(Histogram(values=("DE",), counts=(1,)), missing="")
    tally = bins.count(np.array(["DE", "", "XX"], dtype=object))
    assert (tally.bins.tolist(), tally.missing, tally.unseen) == ([1], 1, 1)
