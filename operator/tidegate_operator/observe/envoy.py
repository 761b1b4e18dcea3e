"""Envoy's stats: what one router counted for each cluster since it started, and by which routes it goes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tidegate.counts import LATENCY_BOUNDS_MS

_BINS = len(LATENCY_BOUNDS_MS) + 1
_ROUTES_VERSION = "http.tidegate.rds.tidegate.version_text"


def build_query(clusters: Iterable[str]) -> dict[str, str]:
    """The query of `/stats` for these clusters: a router of many models must not tell all of them each time."""
    names = "|".join(sorted(clusters))
    wanted = rf"^cluster\.({names})\.|^{re.escape(_ROUTES_VERSION)}$"
    return {"format": "json", "histogram_buckets": "disjoint", "filter": wanted}


class Bucket(msgspec.Struct):
    """One bin of a histogram; `cumulative` means since the start."""

    cumulative: int


class Histogram(msgspec.Struct):
    """A histogram of one cluster."""

    name: str
    buckets: list[Bucket]


class Stat(msgspec.Struct):
    """A counter, a gauge or a text, or all histograms at once."""

    name: str = ""
    value: int | str = 0
    histograms: list[Histogram] = []


class Stats(msgspec.Struct):
    """What Envoy answers."""

    stats: list[Stat] = []


@dataclass(slots=True)
class ClusterCounts:
    """The cumulative counters of one cluster in one router."""

    completed: int = 0
    """Requests, however often each was tried."""
    failed: int = 0
    """Answers 4xx and 5xx; Envoy's own 503 and 504, where no predictor answered, included, and requests that one pod
    left without an answer and another one answered."""
    healthy: int = 0
    latency: list[int] = field(default_factory=lambda: [0] * _BINS)

    @property
    def counts(self) -> tuple[int, ...]:
        """All that only grows, in one row: completed, failed, then the latency bins."""
        return (self.completed, self.failed, *self.latency)


@dataclass(frozen=True, slots=True)
class RouterCounts:
    """What one router says."""

    clusters: Mapping[str, ClusterCounts]
    routes_version: str = ""
    """Of the routes that it goes by (`version_info` of its last DiscoveryResponse); empty before the first."""


def parse_stats(document: Any) -> RouterCounts:  # noqa: ANN401 - whatever a pod answers
    """Envoy's `/stats?format=json&histogram_buckets=disjoint`.

    Raises msgspec.ValidationError where it is anything else.
    """
    clusters: dict[str, ClusterCounts] = defaultdict(ClusterCounts)
    routes_version = ""
    for stat in msgspec.convert(document, Stats).stats:
        _take_histograms(stat.histograms, clusters)
        if stat.name == _ROUTES_VERSION:
            routes_version = str(stat.value)
        elif (split := _split(stat.name)) is not None:
            _take_value(clusters[split[0]], split[1], msgspec.convert(stat.value, int))
    return RouterCounts(dict(clusters), routes_version)


def _split(name: str) -> tuple[str, str] | None:
    """`cluster.<name>.<stat>`; none for anything else."""
    parts = name.split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "cluster" else None


def _take_value(cluster: ClusterCounts, stat: str, value: int) -> None:
    match stat:
        case "upstream_rq_completed":
            cluster.completed = value
        # Of the attempt that got no answer, no other counter tells once a second one has succeeded: without this, a
        # candidate whose pods die under one request in ten would have none that failed.
        case "upstream_rq_4xx" | "upstream_rq_5xx" | "upstream_rq_retry_success":
            cluster.failed += value
        case "membership_healthy":
            cluster.healthy = value


def _take_histograms(histograms: Iterable[Histogram], clusters: dict[str, ClusterCounts]) -> None:
    for histogram in histograms:
        split = _split(histogram.name)
        if split is None or split[1] != "upstream_rq_time":
            continue
        # The router's time limit is the last bound: nothing lies beyond.
        bins = [bucket.cumulative for bucket in histogram.buckets]
        clusters[split[0]].latency = [*bins, 0] if len(bins) == _BINS - 1 else [0] * _BINS
