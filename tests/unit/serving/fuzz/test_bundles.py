"""Whatever a bundle's files hold, they are read or refused in a sentence."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import strategies as st
from tests.unit.serving.fuzz.budget import fuzz
from tests.unit.serving.fuzz.every_kind import BASELINE, GOLDEN, SIGNATURE, graph, write_every_kind
from tests.unit.serving.fuzz.rows import spoiled

from tidegate.bundle import read_manifest
from tidegate.contents import UnfitBundle, read_contents
from tidegate.onnx_wire import NoOnnxError, read_demands

pytestmark = pytest.mark.timeout(0)


def test_any_manifest(tmp_path, tried):
    write_every_kind(tmp_path / "b")
    manifest = (tmp_path / "b/tidegate.json").read_bytes()

    def check(content):
        with suppress(ValueError):
            assert read_manifest(content).files is not None

    tried["spoiled manifests"] += fuzz(check, spoiled(st.just(manifest)) | st.binary(max_size=50), share=0.03)


def test_any_onnx_file(tried):
    def check(content):
        with suppress(NoOnnxError):
            assert read_demands(memoryview(content)) is not None

    tried["spoiled ONNX files"] += fuzz(check, spoiled(st.just(graph())) | st.binary(max_size=50), share=0.03)


def test_any_contents(tmp_path, tried):
    write_every_kind(tmp_path / "b")
    sound = {"signature": SIGNATURE, "baseline": BASELINE, "golden": GOLDEN}
    contents = {name: msgspec.json.encode(part) for name, part in sound.items()}

    def check(part):
        name, content = part
        for other, good in contents.items():
            (tmp_path / "b" / f"{other}.json").write_bytes(content if other == name else good)
        with suppress(UnfitBundle):
            assert read_contents(tmp_path / "b").signature.features

    parts = [st.tuples(st.just(name), spoiled(st.just(good))) for name, good in contents.items()]
    tried["spoiled contents"] += fuzz(check, st.one_of(parts), share=0.04)
