"""What operator and gates agree on: the environment of who holds gates in a pod, and how the report comes back."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import structs

from tidegate.gate_report import Finding, GateResult, Report
from tidegate.verdict import Verdict

REPORT_BYTES: Final = 4096
"""The kubelet keeps no more of a container's termination message. It is the one way back that needs no credentials."""
UNPACKED_BYTES: Final = 1 << 20
"""Far more than a report that was cut to fit can have; who leaves a bomb in its place ends here."""
SENTENCE: Final = 400
"""Characters of a sentence, from where on it is cut."""
STABLE_FOLDER: Final = "/var/run/tidegate/stable"
"""Keys and claim of the version in service, in `credentials` and `claim`."""
DATA_FOLDER: Final = "/var/run/tidegate/data"
"""Those of a gate's data set, in a folder with the gate's name."""
CREDENTIALS: Final = "credentials"
CLAIM: Final = "claim"


_Pick = Callable[[tuple[Finding, ...]], tuple[Finding, ...]]


class Variable(StrEnum):
    """Environment variables of the container, beside those of the predictor that it asks."""

    GATES = "TIDEGATE_GATES"  # JSON: the list of gates
    CPU = "TIDEGATE_CPU_LIMIT"  # of the predictor, as Kubernetes writes it
    STABLE_SOURCE = "TIDEGATE_STABLE_SOURCE"  # of the version in service; none: there is none yet
    STABLE_DIGEST = "TIDEGATE_STABLE_DIGEST"
    STABLE_SECRET = "TIDEGATE_STABLE_SECRET"  # noqa: S105 - name of the Secret with its keys


class OwnVariable(StrEnum):
    """Environment variables of a container that is a user's own gate."""

    GATE = "TIDEGATE_GATE"  # its name
    PREDICTOR = "TIDEGATE_PREDICTOR"  # where the predictor answers, under the limits that it will serve under
    MODEL = "TIDEGATE_MODEL"  # the name that it serves under
    BUNDLE = "TIDEGATE_BUNDLE"  # folder with the bundle's files, which can only be read
    CREDENTIALS = "TIDEGATE_CREDENTIALS"  # folder with the keys of its Secret, if it names one


class UnreadableReport(ValueError):  # noqa: N818 - what it is
    """What came back is no report."""


def pack_report(report: Report) -> bytes:
    """A report in at most `REPORT_BYTES`; what is Good is left out first, then all findings but those that decide."""
    for shorter in (_cut, _without_good, _without_findings):
        packed = _pack(shorter(report))
        if len(packed) <= REPORT_BYTES:
            return packed
    # A hundred bytes a gate, of twenty at most.
    return _pack(_cut(_without_findings(report), 100))


def unpack_report(packed: bytes) -> Report:
    """The report that was packed.

    Raises:
        UnreadableReport: It is none.
    """
    try:
        reader = zlib.decompressobj()
        content = reader.decompress(base64.b85decode(packed), UNPACKED_BYTES)
        return msgspec.json.decode(content, type=Report)
    except (ValueError, zlib.error) as error:
        raise UnreadableReport("the report of the gates can't be read") from error


def _pack(report: Report) -> bytes:
    return base64.b85encode(zlib.compress(msgspec.json.encode(report), 9))


def _cut(report: Report, length: int = SENTENCE) -> Report:
    return structs.replace(report, results=tuple(_cut_result(result, length) for result in report.results))


def _cut_result(result: GateResult, length: int) -> GateResult:
    findings = tuple(structs.replace(one, message=_clip(one.message, length)) for one in result.findings)
    return structs.replace(result, message=_clip(result.message, length), findings=findings)


def _without_good(report: Report) -> Report:
    def pick(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(one for one in findings if one.verdict is not Verdict.GOOD)

    return _picking(_cut(report), pick)


def _without_findings(report: Report) -> Report:
    return _picking(_cut(report, SENTENCE // 2), lambda _: ())


def _picking(report: Report, pick: _Pick) -> Report:
    results = (structs.replace(result, findings=pick(result.findings)) for result in report.results)
    return structs.replace(report, results=tuple(results))


def _clip(words: str, length: int) -> str:
    return words if len(words) <= length else words[: length - 1] + "…"
