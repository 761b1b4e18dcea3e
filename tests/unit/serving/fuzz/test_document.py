"""The predictor's OpenAPI document is true: schemathesis asks a process by it, rightly and wrongly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.unit.serving.fuzz.budget import MINUTES, seconds

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
SHARE = 0.5


@pytest.mark.timeout(0)
def test_the_document_says_what_is_taken_and_what_is_answered(asked, tried, tmp_path):
    """Every path, method and status; valid rows are answered, all others refused, nothing fails."""
    report = tmp_path / "report.json"
    budget = (
        ["--max-time", f"{seconds(SHARE):.0f}"]
        if MINUTES
        else ["--max-examples=30", "--generation-deterministic"]
    )
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml",
            "run", f"{asked.url}/openapi.json", "--phases=coverage,fuzzing", "--no-color",
            "--suppress-health-check=all", "--request-timeout=60",  # a busy machine is no finding
            "--report-json-path", report, *budget,
        ],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    tried["requests by the OpenAPI document"] += json.loads(report.read_text())["test_cases"]["generated"]


def test_features_are_described_by_their_kind_and_whether_they_may_be_missing(asked):
    document = httpx.get(f"{asked.url}/openapi.json").json()
    body = document["paths"]["/v1/models/fraud:predict"]["post"]["requestBody"]["content"]["application/json"]
    by_name, by_place = body["schema"]["properties"]["instances"]["items"]["anyOf"]
    assert by_name["required"] == ["amount", "visits", "share", "member", "note", "country"]
    assert by_place["prefixItems"] == list(by_name["properties"].values())
    assert by_name["properties"]["visits"] == {"type": "integer", "minimum": -(2**53), "maximum": 2**53}
    assert {"type": "null", "description": "The value is missing."} in by_name["properties"]["note"]["anyOf"]
    assert (
        by_name["properties"]["country"]["description"]
        == "Seen in training: DE, FR. Others are answered too."
    )
