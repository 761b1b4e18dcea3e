"""The tracker: what MLflow knows of the run in which a model was trained."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.provenance import Data, Git

_VARIABLE: Final = "MLFLOW_RUN_ID"
_COMMIT: Final = "mlflow.source.git.commit"
_REPOSITORY: Final = "mlflow.source.git.repoURL"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its tracker tells it."""

    name: str = ""
    """Its id; empty: there is none."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: tuple[Data, ...] = ()
    git: Git | None = None


def find_run() -> Run:
    """The MLflow run that is active in this process, or else that of the variable MLFLOW_RUN_ID.

    Raises:
        PackagingRefusedError: There is one, and the tracker does not tell of it.
    """
    mlflow = sys.modules.get("mlflow")
    active = mlflow.active_run() if mlflow else None
    run_id = active.info.run_id if active else os.environ.get(_VARIABLE, "")
    return _read_run(run_id) if run_id else Run()


def _read_run(run_id: str) -> Run:
    try:
        run = importlib.import_module("mlflow").get_run(run_id)
    except ModuleNotFoundError:
        return Run(run_id)
    except Exception as error:  # whatever a tracking store's client raises
        raise PackagingRefusedError(
            f"MLflow tells nothing of the run {run_id}: {str(error).splitlines()[0]}; set MLFLOW_TRACKING_URI to the "
            f"server that has it, or leave it out (unset {_VARIABLE}, end the active run)"
        ) from error
    tags = run.data.tags
    return Run(
        name=run_id,
        metrics=dict(run.data.metrics),
        data=tuple(_read_data(each.dataset) for each in run.inputs.dataset_inputs),
        git=Git(tags.get(_REPOSITORY, ""), tags[_COMMIT]) if _COMMIT in tags else None,
    )


def _read_data(dataset: Any) -> Data:  # noqa: ANN401 - an mlflow.entities.Dataset
    source, profile = _decode(dataset.source), _decode(dataset.profile)
    # Each kind of source has a key of its own for where it lies.
    found = (source.get(key) for key in ("uri", "path", "url", "table_name"))
    uri = next((value for value in found if value), dataset.name)
    return Data(uri=str(uri), digest=dataset.digest or "", rows=profile.get("num_rows"))


def _decode(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
