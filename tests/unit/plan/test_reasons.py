"""Every reason that a condition can have is explained to users."""

from pathlib import Path

from tidegate.pod import StartFailure
from tidegate_operator.api.version_status import Place
from tidegate_operator.plan.course import Reason
from tidegate_operator.plan.facts import Trouble
from tidegate_operator.plan.release_policy import SignedReason
from tidegate_operator.plan.verification import VerifiedReason

PAGE = Path(__file__).parents[3] / "docs/conditions.md"


def test_every_reason_has_a_line_in_the_docs():
    # What the predictor said is told by its own reason.
    reasons = {*Reason, *StartFailure, *Trouble, *VerifiedReason, *SignedReason} - {Trouble.START_FAILED}
    lines = {line.split("`")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")}
    assert reasons - lines == set()


def test_every_place_of_a_version_has_a_line_in_the_docs():
    text = PAGE.read_text()
    assert [place for place in Place if f"| `{place}` |" not in text] == []
