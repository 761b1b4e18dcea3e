"""`tidegate package`: a fitted model and a sample of its data become a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from tidegate.commands.common import FILE, FOLDER, require
from tidegate.provenance import Origin

if TYPE_CHECKING:
    import pandas as pd


class Options(TypedDict):
    """What may be said of a bundle beside its model and sample."""

    name: str
    out: Path | None
    labels: tuple[str, ...]
    tolerance: float
    data: tuple[str, ...]
    time_column: str
    metrics: Path | None
    expectations: Path | None
    uri: str
    version: str | None


@click.command()
@click.argument("model", type=FILE)
@click.argument("sample", type=FILE)
@click.option("--name", required=True, help="The model's name, shared by all its versions, such as fraud.")
@click.option("--out", type=FOLDER, help="The bundle's folder; by default NAME-bundle.")
@click.option("--label", "labels", multiple=True, help="What to call a class; once a class, in order.")
@click.option("--tolerance", default=1e-4, show_default=True, help="Largest difference to the native model.")
@click.option("--data", multiple=True, help="URI or file of training data; may be given more than once.")
@click.option("--time-column", default="", help="Column of the --data files with the time of each row.")
@click.option("--metrics", type=FILE, help='JSON file with figures of the evaluation, such as {"auc": 0.91}.')
@click.option("--expectations", type=FILE, help="YAML or JSON: what answers do when a row changes.")
@click.option("--uri", default="", help="Where the bundle will lie, for the ModelVersion printed.")
@click.option("--version", help="Name of the ModelVersion printed; by default NAME-1.")
def package(model: Path, sample: Path, **options: Unpack[Options]) -> None:
    """Makes a bundle from MODEL and a SAMPLE of its training data, and prints the ModelVersion to apply.

    MODEL is a .joblib or .pkl of a fitted scikit-learn, XGBoost or LightGBM model (only load files you trust: they
    are programs), an XGBoost .json or .ubj, a LightGBM .txt, or an .onnx file. SAMPLE is a .csv or .parquet; of
    more than 50,000 rows a fair sample is taken, and it may be larger than memory.

    Where the model came from is recorded by itself: the commit that the current folder is at, the libraries, and
    the MLflow run that MLFLOW_RUN_ID names, with its metrics and inputs.
    """
    packaging = require("tidegate.packaging.package", "tidegate[package]")
    from tidegate.packaging.refusal import PackagingRefusedError  # noqa: PLC0415
    from tidegate.packaging.training_data import describe_data  # noqa: PLC0415

    try:
        bundle = packaging.package(
            _read_model(model),
            _read_sample(sample),
            name=options["name"],
            folder=options["out"],
            labels=options["labels"] or None,
            tolerance=options["tolerance"],
            origin=Origin(
                data=[describe_data(where, options["time_column"]) for where in options["data"]],
                metrics=_read_metrics(options["metrics"]),
                expectations=_read_expectations(options["expectations"]),
            ),
        )
    except (PackagingRefusedError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"# {bundle.path}: {bundle.digest}", err=True)
    uri = options["uri"] or bundle.path.resolve().as_uri()
    click.echo(bundle.model_version(uri=uri, name=options["version"] or f"{bundle.model}-1"), nl=False)


def _read_metrics(path: Path | None) -> dict[str, float]:
    if path is None:
        return {}
    try:
        return {str(name): float(value) for name, value in json.loads(path.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise click.ClickException(f'{path.name} is not of the form {{"auc": 0.91}}: {error}') from error


def _read_expectations(path: Path | None) -> list[dict[str, Any]]:
    if path is None:
        return []
    yaml = require("yaml", "pyyaml")
    try:
        content = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path.name} can't be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, list):
        raise click.ClickException(
            f"{path.name} is no list, such as [{{feature: name, answer: Same}}] would be"
        )
    return content


def _read_model(path: Path) -> Any:  # noqa: ANN401 - any fitted model
    match path.suffix:
        case ".onnx":
            return path
        case ".json" | ".ubj":
            booster = require("xgboost", "xgboost").Booster()
            booster.load_model(path)
            return booster
        case ".txt":
            return require("lightgbm", "lightgbm").Booster(model_file=path)
        case ".joblib" | ".pkl" | ".pickle":
            return require("joblib", "tidegate[package]").load(path)
        case _:
            raise click.ClickException(
                f"{path.name} is no model file known here; give a .joblib, .pkl, .json, .ubj, .txt or .onnx"
            )


def _read_sample(path: Path) -> pd.DataFrame:
    require("pandas", "tidegate[package]")
    if path.suffix == ".parquet":
        require("pyarrow", "pyarrow")
    elif path.suffix != ".csv":
        raise click.ClickException(f"{path.name} is no table known here; give a .csv or .parquet")
    from tidegate.packaging.table_file import read_fair_sample  # noqa: PLC0415

    try:
        sample = read_fair_sample(path)
    except ValueError as error:
        raise click.ClickException(f"{path.name} can't be read: {' '.join(str(error).split())}") from error
    if len(sample.frame) < sample.of:
        click.echo(
            f"# {path.name}: a fair sample of {len(sample.frame):,} of its {sample.of:,} rows", err=True
        )
    return sample.frame
