"""`tidegate bump` changes one word of a file, and nothing that people wrote around it."""

from __future__ import annotations

import contextlib
import string
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sdk.versions import model_version

from tidegate.cli import main
from tidegate.wanted_version import UnfitFile, find_wanted

PLAIN = """\
apiVersion: tidegate.io/v1alpha1
kind: ModelDeployment
metadata: {name: fraud}
spec:
  modelVersion: fraud-7   # since Monday
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The ModelDeployment fraud, which asks for fraud-7, and the ModelVersion fraud-8."""
    (tmp_path / "fraud.yaml").write_text(PLAIN)
    (tmp_path / "fraud-8.yaml").write_text(yaml.safe_dump(model_version("fraud-8")))
    return tmp_path


def bump(files: Path, version: str = "fraud-8.yaml") -> Result:
    return CliRunner().invoke(main, ["bump", str(files / "fraud.yaml"), str(files / version)])


def refusal(result: Result) -> str:
    """The one sentence that it ended with."""
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
    return result.stderr


def test_the_version_is_another_and_its_comment_stays(files):
    result = bump(files)
    assert result.exit_code == 0
    assert result.stdout.endswith("fraud.yaml: spec.modelVersion went from fraud-7 to fraud-8\n")
    assert (files / "fraud.yaml").read_text() == PLAIN.replace("fraud-7", "fraud-8")


def test_a_second_time_nothing_is_changed(files):
    bump(files)
    before = (files / "fraud.yaml").stat()
    assert "spec.modelVersion is fraud-8 already; nothing was changed" in bump(files).stdout
    assert (files / "fraud.yaml").stat().st_mtime_ns == before.st_mtime_ns


def test_a_version_of_another_model_is_refused(files):
    version = model_version("churn-2")
    (files / "churn-2.yaml").write_text(
        yaml.safe_dump(version | {"spec": version["spec"] | {"model": "churn"}})
    )
    sentence = refusal(bump(files, "churn-2.yaml"))
    assert sentence == "Error: churn-2 is a version of model churn, and fraud serves fraud\n"
    assert (files / "fraud.yaml").read_text() == PLAIN


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind: Secret\n", "a file with one ModelVersion is needed, and this has 0"),
        ("kind: ModelVersion\nmetadata: {name: fraud-8}\n", "fraud-8.yaml can't be read: it has no 'spec'"),
        (yaml.safe_dump(model_version("No Name")), "'No Name' is no name of an object in a cluster"),
        (yaml.safe_dump(model_version() | {"metadata": {}}), "its ModelVersion has no metadata.name"),
    ],
)  # fmt: skip
def test_what_is_no_model_version_is_refused(files, text, sentence):
    (files / "fraud-8.yaml").write_text(text)
    assert sentence in refusal(bump(files))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [\n", "it is no YAML: while parsing a flow node"),
        (PLAIN.replace("ModelDeployment", "Deployment"), "one ModelDeployment is needed, and this has 0"),
        (f"{PLAIN}---\n{PLAIN}", "one ModelDeployment is needed, and this has 2"),
        (PLAIN.replace("name: fraud", ""), "its ModelDeployment has no metadata.name"),
        (PLAIN.replace("modelVersion", "version"), "has spec.modelVersion 0 times; write it once"),
        (f"{PLAIN}  modelVersion: fraud-6\n", "has spec.modelVersion 2 times; write it once"),
        (PLAIN.replace("fraud-7", ""), "is written as ''; write the name alone, such as fraud-7"),
        (PLAIN.replace("fraud-7", "&served fraud-7"), "is written as '&served fraud-7'"),
        (PLAIN.replace("fraud-7", "|\n    fraud-7"), "write the name alone"),
        (PLAIN.replace("fraud-7", "[fraud-7]"), "its spec.modelVersion is no name"),
        (f"x: &v fraud-7\n{PLAIN.replace('fraud-7', '*v')}", "is an alias (*) of what stands elsewhere"),
        (f"x: &s {{modelVersion: a}}\n{PLAIN.partition('spec:')[0]}spec: *s\n", "is an alias (*)"),
    ],
)  # fmt: skip
def test_what_can_not_be_changed_alone_is_refused_in_one_sentence(files, text, sentence):
    (files / "fraud.yaml").write_text(text)
    assert sentence in refusal(bump(files))
    assert (files / "fraud.yaml").read_text() == text


def test_a_file_that_is_no_text_is_refused(files):
    (files / "fraud.yaml").write_bytes(b"\xff\xfe")
    assert "can't decode" in refusal(bump(files))


# From here on: whatever stands around the version stays byte for byte.

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?", fullmatch=True)
WORDS = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=20)
COMMENT = WORDS.map(lambda words: f"# modelVersion: {words}")
FIELD = st.text(string.ascii_lowercase, min_size=1, max_size=8).filter(lambda name: name != "kind")
OTHER = st.builds(lambda name, value: yaml.safe_dump({f"x-{name}": value}).rstrip(), FIELD, WORDS)
QUOTES = st.sampled_from(["", '"', "'"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, str, str]:
    """A file with one ModelDeployment, as what stands before its version, the version, and what stands behind it."""
    quote, old = draw(QUOTES), draw(NAMES)
    noise = st.lists(st.one_of(COMMENT, OTHER, st.just("")), max_size=3).map("\n".join)
    head = "apiVersion: tidegate.io/v1alpha1\nkind: ModelDeployment\nmetadata: {name: fraud, labels: {modelVersion: x}}"
    if draw(st.booleans()):
        before, after = f"{head}\n{draw(noise)}\nspec: {{model: fraud,  modelVersion: ", " , paused: false}"
    else:
        before, after = f"{head}\n{draw(noise)}\nspec:\n\n  # {draw(WORDS)}\n  modelVersion:  ", "  "
    other = f"kind: Secret\n{draw(noise)}\n---\n" if draw(st.booleans()) else ""
    before, after = f"{other}{before}", f"{after}{draw(st.sampled_from(['', ' # now']))}\n{draw(noise)}\n"
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    before, after = before.replace("\n", line_end), after.replace("\n", line_end)
    return draw(st.sampled_from(["", "\ufeff"])) + before, f"{quote}{old}{quote}", after


@given(documents(), NAMES)
def test_all_but_the_version_stays_as_it_was(parts, new):
    before, old, after = parts
    text = find_wanted(before + old + after).replace(new)
    assert text.startswith(before)
    assert text.endswith(after)
    assert text[len(before) : len(text) - len(after)].strip("'\"") == new


@given(documents(), NAMES)
def test_what_was_written_is_what_is_read(parts, new):
    text = find_wanted("".join(parts)).replace(new)
    assert find_wanted(text).version == new
    bodies = [body for body in yaml.safe_load_all(text) if body["kind"] == "ModelDeployment"]
    assert [body["spec"]["modelVersion"] for body in bodies] == [new]


@given(st.text(max_size=200))
def test_any_text_at_all_is_taken_or_refused(text):
    with contextlib.suppress(UnfitFile):
        assert find_wanted(PLAIN + text).version == "fraud-7"
