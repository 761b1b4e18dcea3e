"""The report as people and pipelines read it: text, JSON, JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import msgspec

from tidegate.gate_report import Report
from tidegate.verdict import Verdict


def write_text(report: Report) -> str:
    """A line a gate, and one for each thing it found that is not good."""
    lines = []
    for result in report.results:
        lines.append(f"{result.verdict:<10} {result.gate}: {result.message}")
        others = [one for one in result.findings if one.message != result.message]
        lines += [
            f"{'':10}   {one.subject}: {one.message}" for one in others if one.verdict is not Verdict.GOOD
        ]
    lines.append(f"{report.verdict:<10} {report.model} {report.candidate}")
    return "\n".join(lines) + "\n"


def write_json(report: Report) -> str:
    """All of it."""
    whole = {"verdict": report.verdict} | msgspec.to_builtins(report)
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"


def write_junit(report: Report) -> str:
    """A test case a finding: what is Bad has failed, what can't be said is an error.

    The form that Jenkins, GitLab and GitHub's actions read (testsuites, testsuite, testcase).
    """
    suites = ET.Element("testsuites", name=f"tidegate check {report.model}")
    for result in report.results:
        suite = ET.SubElement(suites, "testsuite", name=result.gate)
        for finding in result.findings:
            case = ET.SubElement(suite, "testcase", name=finding.subject, classname=result.gate)
            if finding.verdict is Verdict.BAD:
                ET.SubElement(case, "failure", message=finding.message)
            elif finding.verdict is Verdict.NOT_ENOUGH:
                ET.SubElement(case, "error", message=finding.message)
            else:
                ET.SubElement(case, "system-out").text = finding.message
        for kind, verdict in (("failures", Verdict.BAD), ("errors", Verdict.NOT_ENOUGH)):
            suite.set(kind, str(sum(one.verdict is verdict for one in result.findings)))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
