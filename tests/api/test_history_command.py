"""What changed, when, why and by whom, asked of a real API server by the user's own kubectl."""

from __future__ import annotations

import json
import os

import msgspec
import pytest
from click.testing import CliRunner, Result
from cluster.api_server import find_binary
from tests.api.accounts import token_of
from tests.api.helm import SYSTEM
from tests.api.namespace import Namespace, model_deployment, model_version
from tests.api.operator_process import run_operator
from tests.unit.sdk import versions

from tidegate.bundle import Manifest
from tidegate.cli import main
from tidegate.history import DEPLOYMENT_LABEL, HISTORY_ANNOTATION, Place, Stay, write_history
from tidegate.loaded import tell_bundle

JAN, FEB, MAR = (f"2026-0{month}-01T00:00:00Z" for month in (1, 2, 3))
SERVED = Stay(Place.STABLE, JAN, 100, end=FEB, ended="Replaced", why="fraud-8 was promoted: all checks Good")
TRIED = Stay(Place.CANDIDATE, JAN, 50, end=FEB, requests=900, ended="Promoted", why="all checks Good")
SERVES = Stay(Place.STABLE, FEB, 100)
BACK = Stay(Place.CANDIDATE, MAR, 5, end=MAR, requests=61, ended="ErrorRate", why="9.8 % against 0.2 %")
BUILT = {
    "git": {"repository": "https://git.example.com/fraud", "commit": "3f2a91c" + "0" * 33},
    "builtBy": "ana",
}
OTHERS = {
    "git": {"repository": "https://git.example.com/fraud", "commit": "b07d4e8" + "0" * 33},
    "builtBy": "ci",
}


@pytest.fixture(scope="module")
def kubeconfig(api_server, tmp_path_factory):
    return api_server.write_kubeconfig(tmp_path_factory.mktemp("kubectl") / "kubeconfig")


@pytest.fixture
def run(kubeconfig, namespace: Namespace):
    """Runs a command of the CLI as somebody would whose kubectl is set up."""
    path = f"{find_binary('kubectl').parent}{os.pathsep}{os.environ['PATH']}"

    def invoke(*arguments: str) -> Result:
        where = ["--namespace", namespace.name]
        return CliRunner().invoke(
            main, [*arguments, *where], env={"KUBECONFIG": str(kubeconfig), "PATH": path}
        )

    return invoke


@pytest.fixture
def fraud(namespace: Namespace) -> Namespace:
    """fraud-8 took the place of fraud-7, and fraud-9 was taken back."""
    namespace.apply(model_version("fraud-7", provenance=BUILT))
    namespace.apply(model_version("fraud-8", provenance=OTHERS, digest="sha256:" + "cd" * 32))
    namespace.apply(model_deployment(modelVersion="fraud-8"))
    for number, (version, stays) in enumerate(
        {"fraud-7": (SERVED,), "fraud-8": (TRIED, SERVES), "fraud-9": (BACK,)}.items(), start=1
    ):
        write_record(namespace, version, number, stays)
    write_status(namespace, phase="Serving", stable=role("fraud-8", FEB), version="fraud-8")
    return namespace


def role(version: str, since: str) -> dict[str, str]:
    return {"revision": f"r-{version}", "modelVersion": version, "digest": "sha256:1", "since": since}


def write_status(namespace: Namespace, **status) -> None:
    whole = {key: value for key, value in model_deployment().items() if key != "spec"} | {"status": status}
    namespace.apply(whole, manager="operator", sub="/status")


def write_record(namespace: Namespace, version: str, number: int, stays: tuple[Stay, ...]) -> None:
    """A ControllerRevision as the operator writes it."""
    uid = namespace.get("ModelDeployment", "fraud")["metadata"]["uid"]
    owner = {"apiVersion": "tidegate.io/v1alpha1", "kind": "ModelDeployment", "name": "fraud", "uid": uid}
    body = {
        "metadata": {
            "name": f"r-{version}",
            "labels": {DEPLOYMENT_LABEL: "fraud"},
            "annotations": {HISTORY_ANNOTATION: write_history(stays)},
            "ownerReferences": [owner],
        },
        "revision": number,
        "data": {"modelVersion": version, "digest": "sha256:1", "deployment": {}},
    }
    path = f"/apis/apps/v1/namespaces/{namespace.name}/controllerrevisions"
    namespace.client.post(path, json=body).raise_for_status()


def test_diff_compares_two_model_versions_of_the_cluster(fraud, run):
    result = run("diff", "fraud-7", "fraud-8")
    assert result.exit_code == 0
    assert "\ncode\n  ~ commit  3f2a91c..b07d4e8\n" in result.stdout
    assert "\nbuilt\n  ~ by  ana → ci\n" in result.stdout


def test_diff_tells_the_features_of_versions_that_were_loaded(fraud, run):
    for version, features in {"fraud-7": ("age", "income"), "fraud-8": ("age", "debt")}.items():
        signature = versions.signature(*(versions.feature(name) for name in features))
        told = msgspec.to_builtins(tell_bundle(Manifest("fraud", {}, "tidegate"), signature, digest=""))
        del told["digest"]  # that is the spec's
        whole = {key: value for key, value in model_version(version).items() if key != "spec"}
        fraud.apply(whole | {"status": {"observedGeneration": 1} | told}, manager="operator", sub="/status")
    result = run("diff", "fraud-7", "fraud-8")
    assert (
        "\nfeatures\n  - income  number, must be there\n  + debt    number, must be there\n" in result.stdout
    )
    assert result.stdout.endswith(
        "\nnot compared: single files and what the graph takes; a bundle tells that, neither fraud-7 nor fraud-8\n"
    )


def test_diff_says_which_model_version_is_missing(fraud, run):
    result = run("diff", "fraud-7", "fraud-5")
    assert result.exit_code == 1
    assert result.stderr == f"Error: there is no ModelVersion fraud-5 in namespace {fraud.name}\n"


def test_history_is_a_table_with_the_newest_first(fraud, run):
    result = run("history", "fraud")
    assert result.exit_code == 0
    assert [line.split(maxsplit=9) for line in result.stdout.splitlines()[1:]] == [
        [*f"fraud-9 r-fraud-9 {MAR} {MAR} candidate 5 % - -".split(), "ErrorRate: 9.8 % against 0.2 %"],
        f"fraud-8 r-fraud-8 {FEB} now stable 100 % b07d4e8 ci".split(),
        [
            *f"fraud-7 r-fraud-7 {JAN} {FEB} stable 100 % 3f2a91c ana".split(),
            "Replaced: fraud-8 was promoted: all checks Good",
        ],
        [*f"fraud-8 r-fraud-8 {JAN} {FEB} candidate 50 % b07d4e8 ci".split(), "Promoted: all checks Good"],
    ]


def test_history_is_json_for_programs(fraud, run):
    newest, *_ = json.loads(run("history", "fraud", "--output", "json").stdout)
    assert newest == {
        "version": "fraud-9",
        "revision": "r-fraud-9",
        "as": "candidate",
        "from": MAR,
        "to": MAR,
        "share": 5,
        "requests": 61,
        "ended": "ErrorRate",
        "why": "9.8 % against 0.2 %",
        "commit": None,
        "builtBy": None,
    }


def test_history_in_a_rollout_tells_the_candidate_that_no_record_tells_yet(fraud, run):
    write_record(fraud, "fraud-10", 4, ())
    desired = {"candidateWeight": 25}
    write_status(
        fraud, stable=role("fraud-8", FEB), candidate=role("fraud-10", MAR), traffic={"desired": desired}
    )
    lines = run("history", "fraud").stdout.splitlines()
    assert f"fraud-10  r-fraud-10  {MAR}  now " in lines[1]
    assert " candidate  25 %" in lines[1]
    assert f"fraud-8   r-fraud-8   {FEB}  now " in lines[3]


def test_history_of_a_namesake_that_was_deleted_is_not_told(fraud, run):
    fraud.client.delete(fraud.path("ModelDeployment", "fraud")).raise_for_status()
    fraud.apply(model_deployment(modelVersion="fraud-8"))
    assert run("history", "fraud").stdout == "fraud has no revision yet\n"


def test_history_says_that_there_is_no_such_deployment(fraud, run):
    result = run("history", "churn")
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: there is no ModelDeployment churn in namespace {fraud.name}\n",
    )


def test_an_unknown_context_is_told_by_kubectl_itself(fraud, run, capfd):
    result = run("history", "fraud", "--context", "elsewhere")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert 'context "elsewhere" does not exist' in capfd.readouterr().err


def wanted(namespace: Namespace) -> str:
    return namespace.get("ModelDeployment", "fraud")["spec"]["modelVersion"]


def test_rollback_goes_to_the_version_before(fraud, run):
    result = run("rollback", "fraud")
    assert (result.exit_code, result.stderr, wanted(fraud)) == (0, "", "fraud-7")
    assert result.stdout.startswith("fraud: spec.modelVersion went from fraud-8 to fraud-7\nfraud-7 has ")


def test_rollback_goes_to_the_version_that_is_named(fraud, run):
    fraud.apply(model_version("fraud-3", digest="sha256:" + "ef" * 32))
    result = run("rollback", "fraud", "--to", "fraud-3")
    assert (result.exit_code, wanted(fraud)) == (0, "fraud-3")
    assert "fraud-3 has not served here yet: it goes through spec.rollout" in result.stdout


def test_a_rollback_that_is_only_tried_changes_nothing(fraud, run):
    result = run("rollback", "fraud", "--dry-run")
    assert (result.exit_code, wanted(fraud)) == (0, "fraud-8")
    assert result.stdout.startswith("fraud: spec.modelVersion would go from fraud-8 to fraud-7\n")


def test_rollback_to_what_is_wanted_already_writes_nothing(fraud, run):
    before = fraud.get("ModelDeployment", "fraud")["metadata"]["resourceVersion"]
    result = run("rollback", "fraud", "--to", "fraud-8")
    assert result.stdout.startswith("fraud asks for fraud-8 already; nothing was changed\n")
    assert fraud.get("ModelDeployment", "fraud")["metadata"]["resourceVersion"] == before


@pytest.mark.parametrize("name", ["fraud-5", "churn-1"])
def test_rollback_to_what_can_not_be_served_is_refused(fraud, run, name):
    fraud.apply(model_version("churn-1", model="churn"))
    result = run("rollback", "fraud", "--to", name)
    assert (result.exit_code, result.stderr.count("\n"), wanted(fraud)) == (1, 1, "fraud-8")
    assert name in result.stderr


def test_rollback_warns_of_who_will_set_it_back(fraud, run):
    mark = {"argocd.argoproj.io/tracking-id": "shop:tidegate.io/ModelDeployment:bank/fraud"}
    body = model_deployment(modelVersion="fraud-8")
    fraud.apply(body | {"metadata": {"name": "fraud", "annotations": mark}})
    result = run("rollback", "fraud")
    assert (result.exit_code, wanted(fraud)) == (0, "fraud-7")
    assert result.stderr.startswith(
        "Warning: Argo CD's application shop will set spec.modelVersion back to what git"
    )


def test_what_the_operator_writes_is_what_the_command_reads(api_server, namespace, run, tmp_path):
    """Without a kubelet nothing gets ready: a first version is replaced before it ever served."""
    token = token_of(namespace.client, SYSTEM, "tidegate-operator")
    namespace.apply(model_version("fraud-7"))
    namespace.apply(model_version("fraud-8", digest="sha256:" + "cd" * 32))

    def told() -> list[list[str]]:
        rows = json.loads(run("history", "fraud", "--output", "json").stdout)
        return [[row["version"], row["as"], row["ended"]] for row in rows if row["from"]]

    with run_operator(api_server, tmp_path, token=token, namespace=SYSTEM) as operator:
        namespace.apply(model_deployment(modelVersion="fraud-7"))
        operator.until("the candidate", lambda: told() == [["fraud-7", "candidate", None]])
        namespace.apply(model_deployment(modelVersion="fraud-8"))
        ended = [["fraud-8", "candidate", None], ["fraud-7", "candidate", "Withdrawn"]]
        operator.until("how it ended", lambda: told() == ended)
    with run_operator(api_server, tmp_path, token=token, namespace=SYSTEM) as operator:
        namespace.apply(model_deployment("later", modelVersion="missing"))
        operator.until(
            "a later look", lambda: namespace.get("ModelDeployment", "later")["status"].get("phase")
        )
        assert told() == ended
