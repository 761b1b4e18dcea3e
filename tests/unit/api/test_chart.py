"""The chart says what the operator's settings say, and refuses what it does not know."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.unit.sdk.keys import Authority, make_key

from tidegate_operator.main.settings import Settings, read_settings

CHART = Path(__file__).parents[3] / "charts/tidegate"


def template(*values):
    helm = Path(sys.executable).parent / "helm"
    command = [helm, "template", "tidegate", CHART, "--namespace=tidegate-system", *values]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def render(*values):
    return [document for document in yaml.safe_load_all(template(*values).stdout) if document]


def operator_pod(*values):
    (deployment,) = (d for d in render(*values) if d["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]


def read_chart_settings(*values, root=None):
    """The settings as the operator reads them in the chart's pod; under `root` lies what is mounted there."""
    (container,) = operator_pod(*values)["containers"]
    fields = {"metadata.namespace": "tidegate-system", "metadata.name": "tidegate-operator-0"}
    environment = {
        entry["name"]: entry["value"]
        if "value" in entry
        else fields[entry["valueFrom"]["fieldRef"]["fieldPath"]]
        for entry in container["env"]
    }
    if root:
        environment["TIDEGATE_RELEASE_POLICIES"] = f"{root}{environment['TIDEGATE_RELEASE_POLICIES']}"
    return read_settings(environment)


def mount(root, *values):
    """Writes what the operator's pod has of ConfigMaps as the kubelet would, under a root of its own."""
    pod, maps = operator_pod(*values), [one for one in render(*values) if one["kind"] == "ConfigMap"]
    contents = {one["metadata"]["name"]: one["data"] for one in maps}
    volumes = {one["name"]: one["configMap"]["name"] for one in pod["volumes"] if "configMap" in one}
    for place in pod["containers"][0]["volumeMounts"]:
        if place["name"] in volumes:
            folder = root / place["mountPath"].lstrip("/")
            folder.mkdir(parents=True)
            for name, text in contents[volumes[place["name"]]].items():
                (folder / name).write_text(text)


def test_the_defaults_of_the_chart_are_those_of_the_settings():
    found = read_chart_settings()
    given = {"predictor_image", "router_image", "xds_host", "identity"}
    defaults = {f.name: f.default for f in dataclasses.fields(Settings) if f.name not in given}
    assert {name: getattr(found, name) for name in defaults} == defaults


def test_routers_are_told_the_service_of_the_operator():
    names = [document["metadata"]["name"] for document in render() if document["kind"] == "Service"]
    found = read_chart_settings()
    assert found.xds_host == "tidegate-xds.tidegate-system.svc.cluster.local"
    assert "tidegate-xds" in names


def test_every_value_reaches_the_operator():
    values = ["--set=images.predictor=p:2,images.router=r:3,logFormat=text,healthPort=9000,routerReplicas=2"]
    found = read_chart_settings(*values, "--set=watchNamespaces={red,blue}")
    assert (found.predictor_image, found.router_image, found.log_format) == ("p:2", "r:3", "text")
    assert (found.health_port, found.router_replicas, found.watch_namespaces) == (9000, 2, ("red", "blue"))


def test_who_may_reach_what_is_told_to_the_operator():
    values = "--set=checkRouterAddresses=false,networkPolicies.enabled=false"
    found = read_chart_settings(values, "--set=networkPolicies.metricsFrom[0].ipBlock.cidr=10.0.0.0/8")
    assert (found.check_router_addresses, found.network_policies) == (False, False)
    assert found.metrics_from == ({"ipBlock": {"cidr": "10.0.0.0/8"}},)


def test_where_routers_run_and_how_images_are_pulled_is_told_to_the_operator():
    found = read_chart_settings(
        "--set=routerNodeSelector.pool=edge,routerTolerations[0].operator=Exists",
        "--set-string=imagePullSecrets[0].name=registry,imagePullSecrets[1].name=2",
    )
    (toleration,) = found.router_placement.tolerations
    assert (found.router_placement.node_selector, toleration.operator) == ({"pool": "edge"}, "Exists")
    assert found.pull_secrets == ("registry", "2")


@pytest.fixture
def policy(tmp_path):
    """Two release policies, from files, as values."""
    key, authority = make_key(tmp_path, "ml-team").with_suffix(".pub"), Authority(tmp_path, "corp-ca").path
    return (
        "--set=releasePolicies[0].namespaces={shop,bank-*}",
        f"--set-file=releasePolicies[0].keys.ml-team={key}",
        "--set=releasePolicies[1].namespaces={*}",
        f"--set-file=releasePolicies[1].authorities.corp-ca={authority}",
    )


def test_release_policies_reach_the_operator_as_a_file(policy, tmp_path):
    mount(tmp_path, *policy)
    policies = read_chart_settings(*policy, root=tmp_path).release_policies
    found = {namespace: policies.find_releasers(namespace) for namespace in ("bank-1", "elsewhere")}
    assert [one.name for one in found["bank-1"]] == ["key ml-team", "authority corp-ca"]
    assert [one.name for one in found["elsewhere"]] == ["authority corp-ca"]


def test_other_release_policies_make_another_pod(policy):
    def annotations(*values):
        (deployment,) = (d for d in render(*values) if d["kind"] == "Deployment")
        return deployment["spec"]["template"]["metadata"]["annotations"]

    assert annotations(*policy) == annotations(*policy) != annotations(*policy[:2])
    assert "tidegate.io/release-policies" not in annotations()


def test_no_right_of_the_operator_is_on_its_release_policies(policy):
    documents = render(*policy)
    (found,) = (one["metadata"] for one in documents if one["kind"] == "ConfigMap")
    assert found["namespace"] == "tidegate-system"
    rules = [rule for document in documents for rule in document.get("rules", ())]
    on_maps = [rule for rule in rules if "configmaps" in rule["resources"]]
    assert on_maps
    assert all(found["name"] not in rule["resourceNames"] for rule in on_maps)


def test_without_release_policies_there_is_no_file():
    assert "ConfigMap" not in {document["kind"] for document in render()}
    assert [volume["name"] for volume in operator_pod()["volumes"]] == ["tmp"]


@pytest.mark.parametrize(
    "mistake",
    [
        "namespaces={shop}",
        "namespaces={Shop},keys.a=-----BEGIN PUBLIC KEY-----",
        "keys.a=-----BEGIN PUBLIC KEY-----",
        "namespaces={shop},keys.a=-----BEGIN PRIVATE KEY-----",
        "namespaces={shop},authorities.a=-----BEGIN PUBLIC KEY-----",
        "namespaces={shop},keys.a b=-----BEGIN PUBLIC KEY-----",
        "namespaces={shop},key.a=-----BEGIN PUBLIC KEY-----",
    ],
)
def test_a_policy_that_could_not_be_meant_is_refused(mistake):
    values = ",".join(f"releasePolicies[0].{part}" for part in mistake.split(","))
    done = template(f"--set={values}")
    assert done.returncode != 0
    assert "don't meet the specifications of the schema" in done.stderr


def test_without_network_policies_there_is_no_right_to_write_them():
    documents = render("--set=networkPolicies.enabled=false")
    assert "NetworkPolicy" not in {document["kind"] for document in documents}
    rules = [rule for document in documents for rule in document.get("rules", ())]
    assert not any("networkpolicies" in rule["resources"] for rule in rules)


@pytest.mark.parametrize(
    "mistake",
    [
        "image=x",
        "images.predictr=x",
        "logFormat=xml",
        "routerReplicas=0",
        "routerTolerations[0].effect=Never",
        "healthPort=18000",
        "networkPolicies.metricsFrom[0].pods=x",
    ],
)
def test_a_value_that_the_chart_does_not_know_is_refused(mistake):
    done = template(f"--set={mistake}")
    assert done.returncode != 0
    assert "don't meet the specifications of the schema" in done.stderr


def test_every_value_has_its_place_in_the_schema():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(values) == set(schema["properties"]) - {"global"}


def test_the_operator_fits_into_a_restricted_namespace():
    pod = operator_pod()
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_every_right_is_spelled_out():
    rules = [rule for document in render() for rule in document.get("rules", [])]
    assert rules
    assert not any("*" in words for rule in rules for words in rule.values())
