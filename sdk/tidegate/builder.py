"""The builder: the person or pipeline that makes a bundle or its ModelVersion."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from tidegate.git import find_person


def find_builder() -> str:
    """Who packages: the pipeline's run and who started it, or else the person that git or the machine knows."""
    environ = os.environ
    if "GITHUB_RUN_ID" in environ:
        where = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format_map(environ)
        return f"{environ.get('GITHUB_ACTOR', 'GitHub Actions')}, {where}"
    if "CI_JOB_URL" in environ:
        return f"{environ.get('GITLAB_USER_LOGIN', 'GitLab CI')}, {environ['CI_JOB_URL']}"
    try:
        return find_person(Path.cwd()) or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return f"user {os.getuid()}"
