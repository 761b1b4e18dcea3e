"""A release goes the whole way, from a commit to the version that git asks for, and stops where it must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from tests.unit.pipelines.chain import (
    DEPLOYMENT,
    FIRST,
    MODEL,
    Chain,
    Store,
    build_chain,
    commit,
    git,
    read_version,
    read_wanted,
)
from tests.unit.pipelines.git_server import serve_repositories
from tests.unit.sdk.s3_server import BUCKET, run_server

from tidegate import verify_bundle
from tidegate.sealing.check import check_seal, read_trusted
from tidegate_operator.api.model_version import ModelVersion

TOKEN = "a token of a test"


@dataclass(frozen=True)
class Moment:
    """How a pipeline ended, and what there was then."""

    code: int
    output: str
    tree: Path
    """The GitOps repository."""
    head: str
    stored: dict[str, int]
    """When each file of the store was written."""


@dataclass(frozen=True)
class Story:
    """Two releases into a real S3 server and a git server that wants a token; each pipeline runs twice."""

    chain: Chain
    bucket: Path
    commit: str
    """What was trained first."""
    first: Moment
    again: Moment
    second: Moment
    """While it pushed, somebody else did."""
    old: Moment
    """The first commit's pipeline, run once more after the second release."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    with run_server(folder) as s3, serve_repositories(folder, TOKEN) as url:
        store = Store(f"s3://{BUCKET}", s3.environment, "models-store")
        chain = build_chain(folder, store, gitops=f"{url}/gitops.git", token=TOKEN)
        trained = git(chain.training, "rev-parse", "HEAD")
        first, again = play(chain, s3.bucket), play(chain, s3.bucket)
        chain.change("train.py", "STRENGTH = 1.0", "STRENGTH = 0.5")
        push_meanwhile(chain, "churn/churn.yaml", FIRST.replace(MODEL, "churn"))
        second = play(chain, s3.bucket)
        git(chain.training, "checkout", "--quiet", trained)
        yield Story(chain, s3.bucket, trained, first, again, second, old=play(chain, s3.bucket))


def play(chain: Chain, bucket: Path) -> Moment:
    done = chain.run()
    files = [path for path in bucket.rglob("*") if path.is_file()]
    stored = {str(path.relative_to(bucket)): path.stat().st_mtime_ns for path in files}
    return Moment(done.returncode, done.stdout, chain.checkout(), chain.head(), stored)


def push_meanwhile(chain: Chain, file: str, text: str) -> None:
    """Has somebody else push a commit when the next push is under way: after it has looked, before it is taken."""
    rival, hooks = chain.checkout(), chain.folder / "hooks"
    (rival / file).parent.mkdir(exist_ok=True)
    (rival / file).write_text(text)
    commit(rival, "Something else")
    hooks.mkdir()
    (hooks / "pre-push").write_text(
        f"#!/bin/sh\nrm {hooks}/pre-push\nunset $(git rev-parse --local-env-vars)\ngit -C {rival} push --quiet\n"
    )
    (hooks / "pre-push").chmod(0o755)
    (chain.folder / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n")


def test_git_asks_for_the_version_that_was_trained(story):
    assert story.first.code == 0, story.first.output
    version = ModelVersion.model_validate(read_version(story.first.tree))
    assert version.metadata.name == read_wanted(story.first.tree)
    origin = version.spec.provenance
    assert origin.git.commit == story.commit
    assert origin.git.repository == "https://git.example.com/fraud.git"
    assert not origin.git.dirty
    assert [metric.name for metric in origin.metrics] == ["auc"]
    assert [(data.uri, data.rows) for data in origin.data] == [("train.csv", 1000)]
    assert version.spec.source.secret_ref.name == "models-store"


def test_the_bundle_lies_whole_where_the_version_says(story):
    spec = read_version(story.first.tree)["spec"]
    folder = story.bucket / spec["source"]["uri"].removeprefix(f"s3://{BUCKET}/")
    assert verify_bundle(folder, spec["digest"]) == ()


def test_the_team_s_key_vouches_for_it(story):
    spec = read_version(story.first.tree)["spec"]
    trusted = read_trusted(keys=[story.chain.key.with_suffix(".pub")])
    signer = check_seal(spec["signature"], spec["digest"], trusted, now=datetime.now(UTC))
    assert str(signer).startswith("key sha256:")


def test_it_is_one_commit_of_one_new_file_and_one_changed_line_by_who_changed_the_training(story):
    tree = story.first.tree
    version = read_wanted(tree)
    assert git(tree, "rev-list", "--count", "HEAD") == "2"
    changed = git(tree, "show", "--format=%an: %s", "--name-status", "HEAD").split("\n")
    assert changed == [f"Ada: Release {version}", "", f"A\tfraud/{version}.yaml", f"M\t{DEPLOYMENT}"]
    assert (tree / DEPLOYMENT).read_text() == FIRST.replace("none-yet", version)


def test_no_secret_is_printed_or_committed(story):
    key = story.chain.key.read_text().splitlines()[1]
    secrets = [TOKEN, key, story.chain.store.environment["AWS_SECRET_ACCESS_KEY"]]
    for moment in (story.first, story.again, story.second, story.old):
        told = moment.output + git(moment.tree, "log", "--patch")
        assert [secret for secret in secrets if secret in told] == []


def test_the_same_pipeline_again_changes_nothing(story):
    assert (story.again.code, story.again.head) == (0, story.first.head)
    assert story.again.stored == story.first.stored
    assert f"{read_wanted(story.first.tree)} is released already" in story.again.output


def test_the_next_commit_is_the_next_version_and_the_one_before_stays(story):
    assert story.second.code == 0, story.second.output
    before, after = read_wanted(story.first.tree), read_wanted(story.second.tree)
    assert before != after
    assert (story.second.tree / f"fraud/{before}.yaml").is_file()
    assert story.first.stored.items() < story.second.stored.items()


def test_what_others_pushed_meanwhile_stays(story):
    subjects = git(story.second.tree, "log", "--format=%s", "-2").split("\n")
    assert subjects == [f"Release {read_wanted(story.second.tree)}", "Something else"]
    assert (story.second.tree / "churn/churn.yaml").is_file()


def test_an_old_pipeline_that_is_run_once_more_takes_nothing_back(story):
    assert (story.old.code, story.old.head) == (0, story.second.head)
    assert f"{read_wanted(story.first.tree)} is released already" in story.old.output


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """A chain whose store is a folder, and whose GitOps repository lies beside it."""
    return build_chain(tmp_path, Store((tmp_path / "store").as_uri()))


def assert_nothing_is_released(chain: Chain, *, commits: int = 1) -> None:
    assert git(chain.bare, "rev-list", "--count", "HEAD") == str(commits)
    assert not (chain.folder / "store").exists()


@pytest.mark.parametrize(
    ("before", "after", "code"), [("0.8", "0.999", 1), ("held-out.csv", "gone.csv", 3)], ids=["bad", "not enough"]
)  # fmt: skip
def test_a_version_that_does_not_pass_its_gates_goes_nowhere(chain, before, after, code):
    chain.change("gates.yaml", before, after)
    done = chain.run()
    assert done.returncode == code, done.stdout
    assert "predicts-well: " in done.stdout
    assert 'testsuite name="predicts-well"' in (chain.training / "gates.xml").read_text()
    assert_nothing_is_released(chain)


def test_a_change_that_is_in_no_commit_is_not_released(chain):
    (chain.training / "train.py").write_text((chain.training / "train.py").read_text() + "\n")
    done = chain.run()
    assert done.returncode == 1
    assert "A release is made of a commit, and these files differ from " in done.stdout
    assert " M train.py" in done.stdout
    assert_nothing_is_released(chain)


def test_a_release_that_was_cut_between_store_and_git_goes_on(chain):
    (chain.bare / "hooks/pre-receive").write_text("#!/bin/sh\necho closed for today >&2\nexit 1\n")
    (chain.bare / "hooks/pre-receive").chmod(0o755)
    cut = chain.run()
    assert cut.returncode == 1
    assert "closed for today" in cut.stdout
    (chain.bare / "hooks/pre-receive").unlink()
    done = chain.run()
    assert done.returncode == 0
    assert "it was there already, nothing was sent" in done.stdout
    assert read_version(chain.checkout())["spec"]["digest"] in done.stdout


def test_of_two_who_release_one_model_at_once_the_other_is_told(chain):
    push_meanwhile(chain, DEPLOYMENT, FIRST.replace("none-yet", "fraud-by-hand"))
    done = chain.run()
    assert done.returncode != 0
    assert f"Merge conflict in {DEPLOYMENT}" in done.stdout
    assert read_wanted(chain.checkout()) == "fraud-by-hand"


def test_a_deployment_of_another_model_is_not_pointed_at_it(chain):
    tree = chain.checkout()
    (tree / DEPLOYMENT).write_text(yaml.safe_dump(yaml.safe_load(FIRST.replace("fraud}", "churn}"))))
    commit(tree, "Rename")
    git(tree, "push", "--quiet")
    done = chain.run()
    assert done.returncode == 1
    assert "is a version of model fraud, and churn serves churn" in done.stdout
    assert chain.head() == git(tree, "rev-parse", "HEAD")
