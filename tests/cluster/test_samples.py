"""Each sample in manifests/samples runs as it lies there."""

from pathlib import Path

import pytest
import yaml
from tests.cluster.place import FIRST_SERVES, Place

SAMPLES = sorted((Path(__file__).parents[2] / "manifests/samples").glob("*.yaml"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_sample_serves(place: Place, sample: Path) -> None:
    """Applied beside the ModelVersion that it names, it becomes ready and answers under its own name."""
    manifest = yaml.safe_load(sample.read_text())
    name, version = manifest["metadata"]["name"], manifest["spec"]["modelVersion"]
    place.register(version)
    place.kubectl.run("apply", f"--filename={sample}")
    place.until(FIRST_SERVES, lambda view: view.ready and view.stable == version, name=name)
    with place.traffic(name=name) as load:
        pass
    assert load.book.failures() == 0, list(load.book.tell_failures())
