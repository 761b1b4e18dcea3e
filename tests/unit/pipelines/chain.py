"""The way of a release, with all that is around it: a training repository, a GitOps repository, a store, a key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tests.unit.sdk.keys import make_key

SCRIPT = Path(__file__).parents[3] / "manifests/pipelines/release.sh"
TRAINING = Path(__file__).parent / "training"
MODEL = "fraud"
DEPLOYMENT = "fraud/fraud.yaml"
FIRST = """\
# What the fraud team serves.
apiVersion: tidegate.io/v1alpha1
kind: ModelDeployment
metadata: {name: fraud}
spec:
  modelVersion: none-yet   # a release writes here
  rollout: {strategy: Immediate}
"""
ARGUMENTS = ("model.joblib", "sample.csv", "--metrics", "metrics.json", "--data", "train.csv")
ADA = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com"}
COMMITTER = {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com"}


@dataclass(frozen=True)
class Store:
    """Where bundles go."""

    uri: str
    """Of the folder of all models, such as s3://models."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Its keys."""
    secret: str = ""
    """The Secret that has them in the cluster."""


@dataclass(frozen=True)
class Chain:
    """A team's two repositories, and what a pipeline has."""

    folder: Path
    store: Store
    gitops: str
    """URL of the GitOps repository."""
    token: str
    key: Path

    @property
    def training(self) -> Path:
        return self.folder / "training"

    @property
    def bare(self) -> Path:
        """The GitOps repository itself."""
        return self.folder / "gitops.git"

    def change(self, file: str, before: str, after: str) -> str:
        """Commits a change to the training repository; gives the commit."""
        path = self.training / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))
        return commit(self.training, f"{after} in {file}")

    def run(self) -> subprocess.CompletedProcess[str]:
        """What a pipeline does: it trains, and calls the script; stderr is part of what it printed."""
        environment = build_environment(self.folder)
        subprocess.run([sys.executable, "train.py"], cwd=self.training, env=environment, check=True)
        environment |= {
            "MODEL": MODEL,
            "STORE": self.store.uri,
            "STORE_SECRET": self.store.secret,
            "SIGNING_KEY": str(self.key),
            "GITOPS_REPOSITORY": self.gitops,
            "GITOPS_DEPLOYMENT": DEPLOYMENT,
            "GITOPS_TOKEN": self.token,
            **self.store.environment,
        }
        return subprocess.run(
            [SCRIPT, *ARGUMENTS],
            cwd=self.training,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def release(self) -> Path:
        """Runs the pipeline to its end; gives a work tree of what Flux or Argo CD would apply."""
        done = self.run()
        assert done.returncode == 0, done.stdout
        return self.checkout()

    def checkout(self) -> Path:
        """A work tree of the GitOps repository as it is now."""
        tree = Path(tempfile.mkdtemp(prefix="gitops-", dir=self.folder))
        git(self.folder, "clone", "--quiet", str(self.bare), str(tree))
        return tree

    def head(self) -> str:
        """The commit that the GitOps repository is at."""
        return git(self.bare, "rev-parse", "HEAD")


def build_chain(folder: Path, store: Store, *, gitops: str = "", token: str = "") -> Chain:
    """Makes the repositories, the training one with its first commit, and a key.

    `gitops` is the URL of `folder/gitops.git` for who has the token; empty: its path.
    """
    chain = Chain(folder, store, gitops or str(folder / "gitops.git"), token, make_key(folder, "signing"))
    shutil.copytree(TRAINING, chain.training, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet", "--initial-branch=main", str(chain.training))
    git(chain.training, "remote", "add", "origin", "https://ci:a-token@git.example.com/fraud.git")
    commit(chain.training, "Train a model of fraud")
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(chain.bare))
    git(chain.bare, "config", "http.receivepack", "true")
    tree = chain.checkout()
    (tree / DEPLOYMENT).parent.mkdir()
    (tree / DEPLOYMENT).write_text(FIRST)
    commit(tree, "Serve fraud")
    git(tree, "push", "--quiet", "origin", "HEAD")
    return chain


def read_wanted(tree: Path) -> str:
    """The version that a GitOps work tree asks for."""
    return str(yaml.safe_load((tree / DEPLOYMENT).read_text())["spec"]["modelVersion"])


def read_version(tree: Path) -> dict[str, Any]:
    """The manifest of that version."""
    path = (tree / DEPLOYMENT).with_name(f"{read_wanted(tree)}.yaml")
    version: dict[str, Any] = yaml.safe_load(path.read_text())
    return version


def commit(tree: Path, message: str) -> str:
    """Commits all that was changed, as Ada; gives the commit."""
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", f"--message={message}")
    return git(tree, "rev-parse", "HEAD")


def git(folder: Path, *words: str) -> str:
    """Asks git in a folder."""
    return subprocess.run(
        ["git", "-C", str(folder), *words],
        env=build_environment(folder) | ADA | COMMITTER,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()


def build_environment(home: Path) -> dict[str, str]:
    """That of a fresh runner: no person, no git settings, the programs beside this interpreter."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "TMPDIR") if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
