"""docs/metrics.md has a row for every metric of ours, with its labels and in its own words."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from tidegate.counts import LATENCY_BOUNDS_MS, ColumnCounts, Snapshot
from tidegate_operator.main.metrics import Metrics
from tidegate_serving.metrics import exposition
from tidegate_serving.settings import Settings
from tidegate_serving.tallies import RequestTallies

PAGE = (Path(__file__).resolve().parents[3] / "docs/metrics.md").read_text()
ROWS = re.findall(r"^\| `tidegate_\w+` .*$", PAGE, re.MULTILINE)


def write_row(name: str, labels: tuple[str, ...], meaning: str) -> str:
    return f"| `{name}` | {', '.join(labels) or '–'} | {meaning} |"


def test_those_of_the_operator() -> None:
    metrics = [one for one in vars(Metrics()).values() if isinstance(one, MetricWrapperBase)]
    rows = [
        write_row(
            one._name + ("_total" if one._type == "counter" else ""), one._labelnames, one._documentation
        )
        for one in metrics
    ]
    assert sorted(rows) == sorted(row for row in ROWS if "tidegate_predictor" not in row)


def test_those_of_predictors() -> None:
    counts = ColumnCounts(missing=1, unseen=1, out_of_range=1, bins=(1, 1))
    snapshot = Snapshot(
        "fraud-1",
        "sha256:1",
        "p",
        {"ok": 1},
        1,
        0,
        (0,) * (len(LATENCY_BOUNDS_MS) + 1),
        {"age": counts},
        counts,
    )
    settings = Settings(model="fraud", revision="fraud-1", source="file:///", digest="sha256:1")
    text = exposition(snapshot, RequestTallies(), settings, in_flight=0).decode()
    rows = [
        write_row(
            family.name + ("_total" if family.type == "counter" else ""),
            tuple(key for key in family.samples[0].labels if key != "le"),
            family.documentation,
        )
        for family in text_string_to_metric_families(text)
    ]
    assert sorted(rows) == sorted(row for row in ROWS if "tidegate_predictor" in row)
