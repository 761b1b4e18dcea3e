"""The report of gates on its way out of a pod: 4096 bytes, whatever the gates found."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.gate_report import Finding, GateResult, Report, conclude
from tidegate.gate_run import REPORT_BYTES, UnreadableReport, pack_report, unpack_report
from tidegate.verdict import Verdict

SENTENCES = st.text(max_size=3000)
FINDINGS = st.builds(Finding, st.text(max_size=200), st.sampled_from(Verdict), SENTENCES)
RESULTS = st.builds(
    GateResult,
    st.from_regex(r"\A[a-z0-9]{1,63}\Z"),
    st.sampled_from(Verdict),
    SENTENCES,
    st.lists(FINDINGS, max_size=40).map(tuple),
)
REPORTS = st.builds(
    Report, st.just("fraud"), st.just("sha256:1"), st.just(""), st.lists(RESULTS, max_size=20).map(tuple)
)
WORSE = "auc is 0.85, of the version in service 0.91 on the same 24,421 rows: worse by 0.06"


def report(*verdicts: Verdict) -> Report:
    found = [
        Finding(f"auc, region={place}", verdict, f"{WORSE} ({place})")
        for place, verdict in enumerate(verdicts)
    ]
    return Report("fraud", "sha256:1", "", (conclude("predicts-well", found),))


def test_what_fits_comes_back_as_it_was():
    whole = report(Verdict.BAD, Verdict.GOOD, Verdict.NOT_ENOUGH)
    assert unpack_report(pack_report(whole)) == whole


@settings(deadline=None, max_examples=60)
@given(REPORTS)
def test_whatever_was_found_the_verdicts_come_through(told: Report):
    packed = pack_report(told)
    assert len(packed) <= REPORT_BYTES
    packed.decode("ascii")
    back = unpack_report(packed)
    assert [(one.gate, one.verdict) for one in back.results] == [
        (one.gate, one.verdict) for one in told.results
    ]
    assert back.verdict is told.verdict


def test_what_is_good_is_left_out_first():
    noise = tuple(
        Finding(f"auc, region={place}", Verdict.GOOD, f"{WORSE} {hash((place, 'x'))} " * 3)
        for place in range(200)
    )
    bad = Finding("auc, region=south", Verdict.BAD, WORSE)
    result = conclude("predicts-well", (*noise, bad))
    back = unpack_report(pack_report(Report("fraud", "sha256:1", "", (result,))))
    assert back.results[0].findings == (bad,)
    assert back.results[0].message == WORSE


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"killed",
        base64.b85encode(zlib.compress(b"{}")),
        base64.b85encode(zlib.compress(b"[" * 50_000_000)),
    ],
    ids=["nothing", "words", "something-else", "a-bomb"],
)
def test_what_is_no_report_is_no_report(packed: bytes):
    with pytest.raises(UnreadableReport, match="the report of the gates can't be read"):
        unpack_report(packed)
