"""Attacks: requests at a fixed rate, each sent when it is due whether or not the earlier ones were answered.

By vegeta, built from its Go module. Since a slow answer delays no later request, what waits behind it is measured
too; a closed loop would leave it out (coordinated omission). `late_ms` tells how well the rate was kept.
"""

from __future__ import annotations

import base64
import csv
import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import cache, programs

SOURCE = Path(__file__).parent / "vegeta"
WARM_UP_SECONDS = 1.0
"""Connections are opened in it; it is left out."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go."""

    url: str
    host: str
    bodies: Sequence[bytes]

    def describe(self) -> str:
        """What vegeta reads: one JSON document a request."""
        header = {"Content-Type": ["application/json"], "Host": [self.host]}
        documents = (
            {"method": "POST", "url": self.url, "header": header, "body": base64.b64encode(body).decode()}
            for body in self.bodies
        )
        return "\n".join(map(json.dumps, documents))


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of one attack."""

    latency_ms: list[float]
    """From the moment of sending to the end of the answer, sorted."""
    late_ms: list[float]
    """How long after its due time each request was sent, sorted."""
    failed: Counter[str]
    """Answers other than 200, the warm-up's included, by status; 0 where there was none."""

    def quantile_ms(self, share: float) -> float:
        """The latency that `share` of the answers kept."""
        return self.latency_ms[min(len(self.latency_ms) - 1, int(share * len(self.latency_ms)))]


def build() -> Path:
    """The vegeta binary, built once."""
    with cache.one_at_a_time():
        return programs.build(SOURCE) / "vegeta"


def attack(vegeta: Path, target: Target, *, per_second: int, seconds: float, folder: Path) -> Answers:
    """Sends requests for some seconds after the warm-up."""
    (folder / "targets.json").write_text(target.describe())
    results = folder / "results.bin"
    aim = ("-format=json", f"-targets={folder / 'targets.json'}")
    pace = (f"-rate={per_second}/1s", f"-duration={WARM_UP_SECONDS + seconds}s", "-timeout=10s")
    subprocess.run([vegeta, "attack", *aim, *pace, "-max-body=0", f"-output={results}"], check=True)
    told = subprocess.run([vegeta, "encode", "-to=csv", results], check=True, capture_output=True, text=True)
    return parse(told.stdout, per_second=per_second)


def parse(text: str, *, per_second: int) -> Answers:
    """Reads vegeta's CSV: nanoseconds of sending, status, nanoseconds of latency, …, number of the request."""
    rows = [(int(row[0]), row[1], int(row[2]), int(row[8])) for row in csv.reader(text.splitlines())]
    due_of_first = min(sent - number * 10**9 // per_second for sent, _, _, number in rows)
    kept = [row for row in rows if row[3] >= WARM_UP_SECONDS * per_second]
    return Answers(
        latency_ms=sorted(latency / 1e6 for _, _, latency, _ in kept),
        late_ms=sorted(
            (sent - number * 10**9 // per_second - due_of_first) / 1e6 for sent, _, _, number in kept
        ),
        failed=Counter(status for _, status, _, _ in rows if status != "200"),
    )
