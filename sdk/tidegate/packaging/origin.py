"""The origin: provenance as git, the environment and the tracker tell it, so that nobody types it."""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from tidegate.git import find_git
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.tracker import find_run
from tidegate.packaging.training_data import describe_data
from tidegate.provenance import Metric, Origin, Package, Provenance

# What makes the bundle, whatever the model.
_OURS: Final = ("tidegate", "onnx", "onnxruntime", "skl2onnx", "pandas", "numpy")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
# What an extra requires is there only where somebody asked for the extra.
_EXTRA: Final = re.compile(r"\bextra\s*==")


def find_provenance(
    model: Any,  # noqa: ANN401 - any fitted model
    origin: Origin = Origin(),  # noqa: B008 - frozen
) -> Provenance:
    """What git, the environment and MLflow know of a model that was trained here.

    Args:
        model: The fitted model, or the path of its ONNX file.
        origin: What none of these knows.

    Raises:
        PackagingRefusedError: One of these can't be told; the message says what helps.
    """
    run = find_run()
    told = tuple(describe_data(where) for where in origin.data)
    return Provenance(
        git=find_git(Path.cwd()) or run.git,
        run=run.name,
        data=told or run.data,
        packages=tuple(find_packages(model)),
        metrics=tuple(_write_metrics({**run.metrics, **origin.metrics})),
    )


def find_packages(model: Any) -> Iterable[Package]:  # noqa: ANN401 - any fitted model
    """The libraries that the model and its bundle are made with, and all that these require."""
    distributions = metadata.packages_distributions()
    roots = {name.lower() for module in _find_modules(model) for name in distributions.get(module, ())} | set(
        _OURS
    )
    versions = {"python": platform.python_version()}
    waiting = sorted(roots)
    while waiting:
        name = _normalise(waiting.pop())
        if name in versions:
            continue
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        versions[name] = found.version
        waiting += [_require_name(line) for line in found.requires or () if not _EXTRA.search(line)]
    return [Package(name, version) for name, version in sorted(versions.items())]


def _find_modules(model: Any) -> set[str]:  # noqa: ANN401 - any fitted model
    """Top-level modules of the model and, for a pipeline, of each of its steps."""
    steps = model.get_params(deep=True).values() if hasattr(model, "get_params") else ()
    return {type(part).__module__.partition(".")[0] for part in (model, *steps)}


def _require_name(requirement: str) -> str:
    found = _NAME.match(requirement)
    assert found  # PEP 508: a requirement begins with a name
    return found[0]


def _normalise(name: str) -> str:
    """As PEP 503 has it: one library has one name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _write_metrics(metrics: Mapping[str, float]) -> Iterable[Metric]:
    for name, value in sorted(metrics.items()):
        if not math.isfinite(value):
            raise PackagingRefusedError(
                f"the metric {name!r} is {value}; give a finite number, or leave it out"
            )
        yield Metric(name, f"{value:.12g}")
