"""Gates: what a version has to show under the limits that it will serve under, before any request meets it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import obstore
import pandas as pd
import pytest
from demo.adult import NUMBERS, POSITIVE, TARGET, Census, read_census
from demo.load import Load
from demo.models import Trained, boosted
from demo.rollout_view import RolloutView
from demo.store import BUCKET, SECRET_NAME, publish
from demo.waiting import Deadline, wait_for
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.cluster.library import MODEL
from tests.cluster.place import PROMOTED, QUICK, Place

import tidegate

BLOCKED = Deadline("the verdict of the gates", 150)
ROWS: Final = "gates/held-out.parquet"
GROUP: Final = ("race", "Asian-Pac-Islander")
SERVES: Final = {
    "name": "serves-well",
    "serving": {
        "readyWithin": "30s",
        "rowsPerRequest": 100,
        "duration": "5s",
        "latency": {"p99": "60ms"},
        "memoryHeadroom": "10%",
    },
}
PREDICTS: Final = {
    "name": "predicts-well",
    "performance": {
        "data": {
            "uri": f"s3://{BUCKET}/{ROWS}",
            "label": TARGET,
            "secretRef": {"name": SECRET_NAME},
        },
        "metrics": [{"name": "auc", "compared": {"tolerance": "0.02", "detect": "0.03"}}],
        "slices": [{"column": GROUP[0]}],
        "leastRows": 500,
    },
}
LEAKING_ROWS: Final = "gates/leaking.parquet"
CONTRACT: Final = {"name": "keeps-its-contract", "contract": {}}
GATES: Final = [SERVES, PREDICTS, CONTRACT]


def sound_rows(key: str) -> dict[str, Any]:
    """The gate for the rows themselves. Many people of the census are alike."""
    data = {**PREDICTS["performance"]["data"], "uri": f"s3://{BUCKET}/{key}"}
    return {"name": "sound-rows", "dataQuality": {"data": data, "repeatedRows": "60%"}}


def weak(census: Census) -> Trained:
    """Somebody shuffled a column of labels: it has learnt half of what there is to learn."""
    return boosted(_mislabelled(census, census.train.index % 5 < 2))


def unfair(census: Census) -> Trained:
    """As good as the others on the whole, and wrong about one small group."""
    column, value = GROUP
    return boosted(_mislabelled(census, census.train[column] == value))


def leaky(census: Census) -> Trained:
    """Its rows were joined with a table that was written when the label was known."""
    return boosted(leaking(census))


def narrow(census: Census) -> Trained:
    """It asks for fewer columns than its callers send."""
    numbers = census.train[list(NUMBERS)]
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, census.train[TARGET])
    return Trained(pipeline, numbers, auc=0.0)


VERSIONS: Final[dict[str, Callable[[Census], Trained]]] = {
    "weak": weak,
    "unfair": unfair,
    "leaky": leaky,
    "narrow": narrow,
}


def leaking(census: Census) -> Census:
    """The census with a column that gives the label away."""
    parts = (
        part.assign(hours_per_week=20 + 20 * part[TARGET].eq(POSITIVE))
        for part in (census.train, census.held_out)
    )
    return Census(*parts)


def _mislabelled(census: Census, rows: Any) -> Census:
    labels = census.train[TARGET].copy()
    labels[rows] = labels[rows].map({">50K": "<=50K", "<=50K": ">50K"})
    return Census(census.train.assign(**{TARGET: labels}), census.held_out)


@pytest.fixture(scope="module")
def gated(shared_place: Place) -> Iterator[tuple[Place, Load]]:
    """A place where income-2 has passed its gates and serves, under steady traffic; held-out rows and bad versions."""
    place = shared_place
    with place.library.bucket() as store, tempfile.TemporaryDirectory() as folder:
        obstore.put(store, ROWS, write_rows(Path(folder), read_census().held_out))
        obstore.put(store, LEAKING_ROWS, write_rows(Path(folder), leaking(read_census()).held_out))
        for name, train in VERSIONS.items():
            model = train(read_census())
            bundle = tidegate.package(model.pipeline, model.sample, name=MODEL, folder=Path(folder) / name)
            place.kubectl.apply(publish(store, bundle, name=f"gates-{name}"))
    place.register("income-1", "income-2", "income-4")
    place.deploy("income-2", gates=GATES)
    place.until(BLOCKED, lambda view: view.ready and view.stable == "income-2")
    with place.traffic() as load:
        yield place, load
    assert load.book.failures() == 0, list(load.book.tell_failures())


def write_rows(folder: Path, frame: pd.DataFrame) -> bytes:
    path = folder / "rows.parquet"
    duckdb.sql(f"COPY (SELECT * FROM frame) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def hold(place: Place, version: str, **spec: Any) -> RolloutView:
    """Asks for a version and waits for what its gates say."""
    place.deploy(version, **{"gates": GATES} | spec)
    wait_for(BLOCKED, lambda: is_blocked(place.object()), last_seen=place.view)
    return place.view()


def limited(*, cpu: str = "1", memory: str = "512Mi") -> dict[str, Any]:
    """Resources of a pod that may use no more than this, and asks for little of it."""
    return {"requests": {"cpu": "50m", "memory": "40Mi"}, "limits": {"cpu": cpu, "memory": memory}}


def is_blocked(deployment: dict[str, Any]) -> bool:
    """Whether status says so of the spec that was applied last."""
    status = deployment.get("status", {})
    current = status.get("observedGeneration") == deployment["metadata"].get("generation")
    return bool(current and status.get("phase") == "Blocked")


def report_of(place: Place) -> dict[str, Any]:
    run = place.object()["status"]["gates"]["run"]
    report = place.kubectl.get("gatereport", run)
    assert report
    spec: dict[str, Any] = report["spec"]
    return spec


def test_a_version_that_is_worse_is_blocked(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    view = hold(place, "gates-weak")
    assert view.stable == "income-2"
    assert "predicts-well: auc" in view.message
    spec = report_of(place)
    assert (spec["verdict"], spec["modelVersion"]) == ("Bad", "gates-weak")
    assert {result["gate"]: result["verdict"] for result in spec["results"]} == {
        "serves-well": "Good",
        "predicts-well": "Bad",
        "keeps-its-contract": "Good",
    }


def test_a_version_that_is_worse_for_one_group_alone_is_blocked(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    view = hold(place, "gates-unfair")
    assert "race=Asian-Pac-Islander" in view.message
    findings = {one["subject"]: one["verdict"] for r in report_of(place)["results"] for one in r["findings"]}
    assert findings.get("auc", "Good") == "Good"


def test_a_version_that_is_too_slow_under_its_limits_is_blocked(gated: tuple[Place, Load]) -> None:
    """A tenth of a core: whoever measured it on the machine that it was trained on would not have seen it."""
    place, _ = gated
    view = hold(place, "income-4", serving={"resources": limited(cpu="100m")})
    assert "serves-well: p99 at 1 at a time " in view.message
    assert view.message.count("at most 60ms is wanted") == 1


def test_a_version_that_needs_more_memory_than_its_limit_is_blocked(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    view = hold(place, "income-4", serving={"resources": limited(memory="72Mi")})
    assert "raise spec.serving.resources.limits.memory" in view.message


def test_a_version_whose_rows_give_the_label_away_is_blocked(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    view = hold(place, "gates-leaky", gates=[sound_rows(LEAKING_ROWS)])
    assert "'hours_per_week' alone tells 1.000 of the label" in view.message


def test_a_version_that_asks_for_other_columns_is_blocked(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    view = hold(place, "gates-narrow", gates=[CONTRACT])
    assert "feature workclass is gone" in view.message


def test_a_program_of_ones_own_decides_like_any_other_gate(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    program = (
        "import os, sys, urllib.request as r; "
        "print('ready:', r.urlopen(os.environ['TIDEGATE_PREDICTOR'] + '/v2/health/ready').status, "
        "os.path.exists(os.environ['TIDEGATE_BUNDLE'] + '/model.onnx')); sys.exit(1)"
    )
    image = place.library.images["TIDEGATE_PREDICTOR_IMAGE"]
    own = {"name": "fair", "job": {"image": image, "command": ["python3", "-c", program]}}
    view = hold(place, "income-4", gates=[CONTRACT, own])
    assert "fair: ready: 200 True" in view.message


def test_gates_that_cannot_be_evaluated_hold_until_they_can(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    gone = {
        **PREDICTS["performance"],
        "data": {**PREDICTS["performance"]["data"], "uri": f"s3://{BUCKET}/no/rows.csv"},
    }
    gates = [{"name": "predicts-well", "performance": gone}]
    view = hold(place, "income-4", gates=gates)
    assert f"there is no file s3://{BUCKET}/no/rows.csv" in view.message
    assert (view.stable, view.candidate) == ("income-2", "income-4")
    assert place.kubectl.get("deployment", view.revisions["income-4"]) is None


def test_a_version_that_passes_is_mirrored_and_promoted(gated: tuple[Place, Load]) -> None:
    place, _ = gated
    place.deploy("income-4", QUICK, gates=[*GATES, sound_rows(ROWS)])
    view = place.until(PROMOTED, lambda view: view.stable == "income-4")
    assert view.stable == "income-4"
    assert report_of(place)["verdict"] == "Good"
