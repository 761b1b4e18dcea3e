"""The file of release policies means what it says, or stops the operator with the place of the mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.main.test_settings import ENOUGH
from tests.unit.sdk.keys import Authority, make_key

from tidegate_operator.main.policy_file import read_release_policies
from tidegate_operator.main.settings import SettingsError, read_settings

VARIABLE = "TIDEGATE_RELEASE_POLICIES"


class Files:
    """A key, an authority, and a file of policies that may be spoilt."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "release-policies.json"
        self.private = make_key(folder, "ml-team").read_text()
        self.key = (folder / "ml-team.pub").read_text()
        self.authority = Authority(folder, "corp-ca").path.read_text()

    def entry(self, **fields: Any) -> dict[str, Any]:
        """One policy that is right but for these fields."""
        return {"namespaces": ["shop", "bank-*"], "keys": {"ml-team": self.key}} | fields

    def write(self, *entries: Any) -> Path:
        self.path.write_text(json.dumps(entries))
        return self.path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_each_entry_is_a_policy_and_each_key_and_authority_has_its_name(files):
    path = files.write(
        files.entry(), files.entry(namespaces=["*"], keys={}, authorities={"corp-ca": files.authority})
    )
    policies = read_release_policies(path)
    assert [entry.namespaces for entry in policies.entries] == [("shop", "bank-*"), ("*",)]
    found = {namespace: policies.find_releasers(namespace) for namespace in ("shop", "elsewhere")}
    assert [one.name for one in found["shop"]] == ["key ml-team", "authority corp-ca"]
    assert [one.name for one in found["elsewhere"]] == ["authority corp-ca"]
    assert [len(one.trusted.authorities) for one in found["shop"]] == [0, 1]


def test_an_authority_may_have_several_certificates(files):
    path = files.write(files.entry(authorities={"corp-ca": files.authority * 2}))
    _, authority = read_release_policies(path).find_releasers("shop")
    assert len(authority.trusted.authorities) == 2


MISTAKES = {
    "no namespace": ({"namespaces": []}, "releasePolicies[1].namespaces is empty"),
    "a capital": ({"namespaces": ["Shop"]}, "releasePolicies[1].namespaces has 'Shop'"),
    "a bracket": ({"namespaces": ["sho[p]"]}, "releasePolicies[1].namespaces has 'sho[p]'"),
    "a text": ({"namespaces": "shop"}, "at `releasePolicies[1].namespaces`"),
    "nobody": ({"keys": {}}, "releasePolicies[1] has neither keys nor authorities"),
    "no key": ({"keys": {"ml-team": "AAAA"}}, "releasePolicies[1].keys.ml-team: it is no public key in PEM"),
    "no authority": (
        {"authorities": {"ca": ""}},
        "releasePolicies[1].authorities.ca: it holds no certificate",
    ),
    "a name that breaks a line": ({"keys": {"a\nb": ""}}, "releasePolicies[1].keys has the name 'a\\nb'"),
    "a field that is unknown": ({"key": {}}, "unknown field `key`"),
}


@pytest.mark.parametrize(("change", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_place(files, change, words):
    path = files.write(files.entry(), files.entry(**change))
    with pytest.raises(SettingsError) as refused:
        read_settings(ENOUGH | {VARIABLE: str(path)})
    assert str(refused.value).startswith(f"{VARIABLE} is {path}, which can't be used: ")
    assert words in str(refused.value)


def test_a_private_key_is_refused_and_not_repeated(files):
    with pytest.raises(ValueError, match="it is no public key in PEM") as refused:
        read_release_policies(files.write(files.entry(keys={"ml-team": files.private})))
    assert files.private.splitlines()[1] not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{}", "[", "[]", "null", "\xff", "[" * 5000])
def test_what_holds_no_policy_is_never_no_policy(files, text):
    files.path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"\w"):
        read_release_policies(files.path)


def test_without_the_variable_no_signature_is_wanted():
    assert read_settings(ENOUGH | {VARIABLE: ""}).release_policies.entries == ()


def run_operator(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tidegate_operator"]
    settings = os.environ | ENOUGH | environment
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=60)


def test_an_operator_whose_file_is_gone_ends_with_one_sentence(files):
    done = run_operator(**{VARIABLE: str(files.path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{VARIABLE} is {files.path}, which can't be used: No such file or directory\n"


def test_checking_takes_nothing_that_the_operators_image_lacks():
    """Signing does: model-signing and all that it requires."""
    program = "import sys; import tidegate_operator.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"model_signing", "OpenSSL"}.isdisjoint(done.stdout.split())
