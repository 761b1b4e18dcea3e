"""What a large sample costs: `make bench-package_large`.

Two tables of a hundred columns, of 10,000 rows and of 1,000,000, each as .csv and as .parquet: numbers, whole numbers,
gaps in every tenth column, four columns of texts. `tidegate package` makes a bundle of each with a small model that was
trained on 5,000 of the rows, as a process of its own on one core; its time and its memory are those of that process,
imports included.

    python -m bench.package_large [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from bench.report import describe_spread, print_table, versions_of, write_report
from click.testing import CliRunner
from pyarrow.parquet import ParquetWriter
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tidegate.cli import main as cli

SMALL, LARGE, TRAINED_ON = 10_000, 1_000_000, 5_000
AT_ONCE = 10_000
NUMBERS, WHOLE, TEXTS = 80, 16, 4
WANTED_MIB = 1024.0
KINDS = ("csv", "parquet")


def make_rows(rows: int) -> Iterator[pd.DataFrame]:
    """A table, a part at a time; a longer one begins as a shorter one."""
    random = np.random.default_rng(11)
    words = np.array([f"word-{number}" for number in range(30)], dtype=object)
    for _ in range(rows // AT_ONCE):
        numbers = random.normal(100, 15, (AT_ONCE, NUMBERS))
        numbers[:, ::10][random.random((AT_ONCE, NUMBERS // 10)) < 0.05] = np.nan
        part = pd.DataFrame(numbers.round(4), columns=[f"number_{place}" for place in range(NUMBERS)])
        for place in range(WHOLE):
            part[f"whole_{place}"] = random.poisson(10 * (place + 1), AT_ONCE)
        for place in range(TEXTS):
            part[f"text_{place}"] = words[random.zipf(1.5, AT_ONCE) % len(words)]
        yield part


def write_tables(folder: Path) -> None:
    """Both tables in both kinds of file."""
    for rows in (SMALL, LARGE):
        schema = pa.Schema.from_pandas(next(make_rows(AT_ONCE)))
        with (
            (folder / f"{rows}.csv").open("w") as text,
            ParquetWriter(folder / f"{rows}.parquet", schema) as columns,
        ):
            for place, part in enumerate(make_rows(rows)):
                part.to_csv(text, index=False, header=place == 0)
                columns.write_table(pa.Table.from_pandas(part, schema))


def write_model(path: Path) -> None:
    """Fifty boosted trees, texts one-hot."""
    rows = next(make_rows(AT_ONCE)).head(TRAINED_ON)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    texts = [name for name in rows if name.startswith("text")]
    model = make_pipeline(
        make_column_transformer((encoder, texts), remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=50),
    )
    wanted = rows["number_1"] + rows["whole_0"] + 20 * (rows["text_0"] == "word-1") > 115
    joblib.dump(model.fit(rows, wanted), path)


def measure(folder: Path, table: str) -> tuple[float, float]:
    """Seconds and MiB of one `tidegate package`."""
    command = [sys.executable, "-m", "bench.package_large", "--package", str(folder), "--table", table]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.monotonic() - begun, float(done.stdout)


def package_here(folder: Path, table: str) -> None:
    """`tidegate package` in this process, on one core; prints the most memory that it held, in MiB."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(dir=folder) as out:
        arguments = ["package", str(folder / "model.joblib"), str(folder / table), "--name=large"]
        result = CliRunner().invoke(cli, [*arguments, f"--out={out}/bundle"])
    assert result.exit_code == 0, result.output
    # Not ru_maxrss, which begins with what the process held that started this one.
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    print(int(peak) / 1024)


def main() -> None:
    """Measures, reports, and fails where it takes more than wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--package", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--table", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.package:
        package_here(arguments.package, arguments.table)
        return
    tables = [f"{rows}.{kind}" for kind in KINDS for rows in (SMALL, LARGE)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder)
        write_model(folder / "model.joblib")
        rounds = [{table: measure(folder, table) for table in tables} for _ in range(arguments.rounds)]
    report(rounds)


def report(rounds: list[dict[str, tuple[float, float]]]) -> None:
    """The table and the file."""
    rows, figures = [], {}
    for table in rounds[0]:
        seconds, mib = ([one[table][place] for one in rounds] for place in range(2))
        size, _, kind = table.partition(".")
        rows.append((f"{int(size):,}, .{kind}", describe_spread(seconds), describe_spread(mib, digits=0)))
        figures[table] = {"seconds": seconds, "mib": mib}
    title = f"{NUMBERS + WHOLE + TEXTS} columns, one core; wanted: at most {WANTED_MIB:,.0f} MiB"
    print_table(title, ("rows", "s, median (range)", "memory, MiB"), rows)
    versions = versions_of("pandas", "pyarrow", "onnxruntime", "scikit-learn")
    write_report("package_large", figures, samples={"rounds": rounds}, versions=versions)
    if max(max(figure["mib"]) for figure in figures.values()) > WANTED_MIB:
        sys.exit("worse than wanted")


if __name__ == "__main__":
    main()
