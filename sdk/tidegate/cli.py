"""The command line: a thin face on what the SDK and the predictor do."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tidegate.bundle import MANIFEST_NAME, manifest_digest, verify_bundle
from tidegate.contents import UnfitBundle, read_contents
from tidegate.version import VERSION

if TYPE_CHECKING:
    import pandas as pd

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
@click.version_option(VERSION, prog_name="tidegate")
def main() -> None:
    """Takes models to production, and takes back the ones that do harm."""


@main.command()
@click.argument("model", type=_FILE)
@click.argument("sample", type=_FILE)
@click.option("--name", required=True, help="The model's name, shared by all its versions, such as fraud.")
@click.option("--out", type=_FOLDER, help="The bundle's folder; by default NAME-bundle.")
@click.option("--label", "labels", multiple=True, help="What to call a class; once a class, in order.")
@click.option("--tolerance", default=1e-4, show_default=True, help="Largest difference to the native model.")
@click.option("--uri", default="", help="Where the bundle will lie, for the ModelVersion printed.")
def package(
    model: Path,
    sample: Path,
    *,
    name: str,
    out: Path | None,
    labels: tuple[str, ...],
    tolerance: float,
    uri: str,
) -> None:
    """Makes a bundle from MODEL and a SAMPLE of its training data, and prints the ModelVersion to apply.

    MODEL is a .joblib or .pkl of a fitted scikit-learn, XGBoost or LightGBM model (only load files you trust: they
    are programs), an XGBoost .json or .ubj, a LightGBM .txt, or an .onnx file. SAMPLE is a .csv or .parquet.
    """
    packaging = _require("tidegate.packaging.package", "tidegate[package]")
    from tidegate.packaging.refusal import PackagingRefusedError  # noqa: PLC0415

    try:
        bundle = packaging.package(
            _read_model(model),
            _read_frame(sample),
            name=name,
            folder=out,
            labels=labels or None,
            tolerance=tolerance,
        )
    except (PackagingRefusedError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"# {bundle.path}: {bundle.digest}", err=True)
    click.echo(bundle.model_version(uri=uri or bundle.path.resolve().as_uri(), name=f"{name}-1"), nl=False)


@main.command()
@click.argument("bundle", type=_FOLDER)
@click.option("--digest", help="What the bundle must be: sha256:… as its ModelVersion says.")
def verify(bundle: Path, digest: str | None) -> None:
    """Compares every file of BUNDLE with its manifest, the manifest with --digest, and what is in them with the rest.

    What it finds is what a predictor would end with.
    """
    _require_sound(bundle, digest)
    click.echo(manifest_digest((bundle / MANIFEST_NAME).read_bytes()))


@main.command()
@click.argument("bundle", type=_FOLDER)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
def serve(bundle: Path, port: int) -> None:
    """Serves BUNDLE on this machine by the very predictor that a cluster runs."""
    _require_sound(bundle)
    raise SystemExit(_require("tidegate_serving.main", "tidegate[serving]").serve_bundle(bundle, port))


def _require_sound(bundle: Path, digest: str | None = None) -> None:
    problems = verify_bundle(bundle, digest)
    if problems:
        raise click.ClickException("\n".join(problems))
    try:
        read_contents(bundle)
    except UnfitBundle as unfit:
        raise click.ClickException(unfit.message) from unfit


def _require(module: str, package: str) -> Any:  # noqa: ANN401 - a module
    """Imports what not every installation has; without it, says how to get it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"this command needs {error.name}, which is not installed: pip install '{package}'"
        ) from error


def _read_model(path: Path) -> Any:  # noqa: ANN401 - any fitted model
    match path.suffix:
        case ".onnx":
            return path
        case ".json" | ".ubj":
            booster = _require("xgboost", "xgboost").Booster()
            booster.load_model(path)
            return booster
        case ".txt":
            return _require("lightgbm", "lightgbm").Booster(model_file=path)
        case ".joblib" | ".pkl" | ".pickle":
            return _require("joblib", "tidegate[package]").load(path)
        case _:
            raise click.ClickException(
                f"{path.name} is no model file known here; give a .joblib, .pkl, .json, .ubj, .txt or .onnx"
            )


def _read_frame(path: Path) -> pd.DataFrame:
    pandas = _require("pandas", "tidegate[package]")
    match path.suffix:
        case ".csv":
            frame: pd.DataFrame = pandas.read_csv(path)
        case ".parquet":
            _require("pyarrow", "pyarrow")
            frame = pandas.read_parquet(path)
        case _:
            raise click.ClickException(f"{path.name} is no table known here; give a .csv or .parquet")
    return frame
