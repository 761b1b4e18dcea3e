"""Bundles that are broken or mean harm: `tidegate verify` and the predictor's start say the same of them."""

import asyncio
import hashlib
import json
import os
from pathlib import Path

import msgspec
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper
from tests.unit.serving.bundles import BASELINE, GOLDEN, SIGNATURE, sum_graph, write_sum_bundle

from tidegate.bundle import manifest_digest, write_bundle
from tidegate.cli import main
from tidegate.pod import StartFailure
from tidegate_serving.errors import CannotStart
from tidegate_serving.settings import Settings
from tidegate_serving.start import load_model

MIB = 1 << 20
TWO_AT_ONE_PLACE = (
    "signature.json has 2 features for the 2 columns of the input 'numbers', or two at one place"
)
NO_FIT = "which does not go into BYTES"
NO_STAND_IN = "but nothing stands for that in BYTES"
NO_ANSWERS = "golden.json has not one answer of 'prediction' for each of its rows"
OTHER_FEATURES = "baseline.json has other features than signature.json"


@pytest.fixture
def folder(tmp_path) -> Path:
    write_sum_bundle(tmp_path / "b")
    return tmp_path / "b"


def started(folder: Path, **changed: object) -> CannotStart:
    """Why a predictor that is given the folder, with the digest of the manifest in it, does not start."""
    with (folder / "tidegate.json").open("rb") as file:
        digest = manifest_digest(file.read(2 * MIB))
    settings = Settings(
        model="fraud", revision="r", source=folder.as_uri(), digest=digest, retry_seconds=0,
        bundle_folder=folder.parent / "fetched", termination_log=folder.parent / "log", **changed,
    )  # fmt: skip
    with pytest.raises(CannotStart) as caught:
        asyncio.run(load_model(settings))
    return caught.value


def verified(folder: Path) -> str:
    """What `tidegate verify` says."""
    result = CliRunner().invoke(main, ["verify", str(folder)])
    assert result.exit_code == 1
    return result.stderr.removeprefix("Error: ").removesuffix("\n")


def require_said_by_both(folder: Path, reason: StartFailure, sentence: str) -> None:
    failure = started(folder)
    assert failure.message.removesuffix(f" (in {folder.as_uri()})") == sentence
    assert failure.reason is reason
    assert verified(folder) == sentence
    assert not (folder.parent / "stolen").exists()


def rewrite(folder: Path, change) -> None:
    """Writes a changed manifest."""
    manifest = json.loads((folder / "tidegate.json").read_bytes())
    change(manifest["files"])
    (folder / "tidegate.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "name",
    ["../stolen", "/etc/passwd", "..\\stolen", "a/b", "", ".", "..", ".hidden", "tidegate.json", "a\0b", "é"],
)
def test_a_name_that_could_leave_the_folder_is_refused(folder, name):
    rewrite(folder, lambda files: files.update({name: {"sha256": "0" * 64, "size": 1}}))
    sentence = f"tidegate.json lists {name!r}, but only plain file names are allowed"
    require_said_by_both(folder, StartFailure.BUNDLE_INVALID, sentence)


def test_names_that_are_one_file_on_some_systems_are_refused(folder):
    rewrite(folder, lambda files: files.update({"Golden.json": files["golden.json"]}))
    require_said_by_both(
        folder,
        StartFailure.BUNDLE_INVALID,
        "tidegate.json lists 'golden.json' and 'Golden.json', which are one file where case doesn't count",
    )


def test_a_key_that_stands_twice_is_refused(folder):
    manifest = (folder / "tidegate.json").read_text()
    (folder / "tidegate.json").write_text(
        manifest.replace('"model": "fraud"', '"model": "x", "model": "fraud"')
    )
    sentence = "tidegate.json can't be read: it has the key 'model' 2 times"
    require_said_by_both(folder, StartFailure.BUNDLE_INVALID, sentence)


def test_a_manifest_of_a_gigabyte_is_not_read_to_its_end(folder):
    os.truncate(folder / "tidegate.json", 1 << 30)
    sentence = "tidegate.json has more than 1048576 bytes, and no more are read"
    require_said_by_both(folder, StartFailure.BUNDLE_INVALID, sentence)


@pytest.mark.parametrize("wrong", [{"sha256": "0"}, {"size": -1}])
def test_a_manifest_with_what_is_no_hash_or_size_is_refused(folder, wrong):
    rewrite(folder, lambda files: files["golden.json"].update(wrong))
    assert started(folder).reason is StartFailure.BUNDLE_INVALID
    assert verified(folder).startswith("tidegate.json can't be read: Expected")


@pytest.mark.parametrize("size", [0, 1, 1 << 40])
def test_a_size_that_lies_is_named_with_both(folder, size):
    has = (folder / "golden.json").stat().st_size
    rewrite(folder, lambda files: files["golden.json"].update(size=size))
    sentence = f"golden.json has {has} bytes, but tidegate.json says {size}"
    require_said_by_both(folder, StartFailure.DIGEST_MISMATCH, sentence)


def test_a_file_with_other_bytes_is_named_with_both_hashes(folder):
    content = (folder / "golden.json").read_bytes()
    wanted, other = hashlib.sha256(content).hexdigest(), content.replace(b"1.5", b"1.6")
    (folder / "golden.json").write_bytes(other)
    sentence = f"golden.json has SHA-256 {hashlib.sha256(other).hexdigest()}, but tidegate.json says {wanted}"
    require_said_by_both(folder, StartFailure.DIGEST_MISMATCH, sentence)


def test_a_link_is_refused_though_its_bytes_are_right(folder):
    (folder / "golden.json").rename(folder.parent / "elsewhere")
    (folder / "golden.json").symlink_to(folder.parent / "elsewhere")
    sentence = "golden.json is a symbolic link, but a bundle holds plain files only"
    require_said_by_both(folder, StartFailure.BUNDLE_INVALID, sentence)


def built(folder: Path, model: bytes | None = None, **parts: object) -> Path:
    """A bundle whose files are what its manifest says, and whose contents are not."""
    contents = {"signature": SIGNATURE, "baseline": BASELINE, "golden": GOLDEN} | parts
    files = {
        f"{name}.json": part if isinstance(part, bytes) else msgspec.json.encode(part)
        for name, part in contents.items()
        if part is not None
    }
    write_bundle(
        folder / "built",
        files | {"model.onnx": sum_graph() if model is None else model},
        model="fraud",
        created_by="tests",
    )
    return folder / "built"


def graph_with(*nodes: onnx.NodeProto, **changes: object) -> bytes:
    """The model with more nodes in it."""
    model = onnx.load_from_string(sum_graph())
    model.graph.node.extend(nodes)
    model.opset_import.extend([helper.make_opsetid("com.example", 1)])
    return model.SerializeToString()


def branch(*nodes: onnx.NodeProto) -> onnx.NodeProto:
    """An If with the nodes in its branches: operators hide in graphs within graphs."""
    graph = helper.make_graph(
        list(nodes), "inner", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])]
    )
    return helper.make_node("If", ["condition"], ["out"], then_branch=graph, else_branch=graph)


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("Frobnicate", ["total"], ["z"], domain="com.example"),
        branch(helper.make_node("Frobnicate", ["total"], ["z"], domain="com.example")),
    ],
    ids=["plain", "within a branch"],
)
def test_a_custom_operator_is_named_with_a_way_out(tmp_path, node):
    require_said_by_both(
        built(tmp_path, graph_with(node)),
        StartFailure.MODEL_INVALID,
        "model.onnx uses the operator 'Frobnicate' of 'com.example', which ONNX Runtime doesn't have; export the model "
        "without custom operators, or with this one as an ONNX function",
    )


def test_an_operator_that_only_the_runtime_can_miss_gets_the_same_sentence(tmp_path):
    model = built(tmp_path, graph_with(helper.make_node("Frobnicate", ["total"], ["z"])))
    assert started(model).message.startswith("model.onnx uses the operator 'Frobnicate', which ONNX Runtime")


def test_an_operator_that_the_file_defines_itself_is_no_custom_one(tmp_path):
    model = onnx.load_from_string(
        graph_with(helper.make_node("Twice", ["total"], ["z"], domain="com.example"))
    )
    twice = helper.make_node("Add", ["x", "x"], ["y"])
    model.functions.append(
        helper.make_function("com.example", "Twice", ["x"], ["y"], [twice], [helper.make_opsetid("", 17)])
    )
    result = CliRunner().invoke(main, ["verify", str(built(tmp_path, model.SerializeToString()))])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("location", ["/etc/passwd", "../stolen", "weights.bin"])
def test_weights_in_another_file_are_refused_wherever_it_lies(tmp_path, location):
    model = onnx.load_from_string(sum_graph())
    weights = model.graph.initializer[0]
    weights.ClearField("float_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    require_said_by_both(
        built(tmp_path, model.SerializeToString()),
        StartFailure.MODEL_INVALID,
        f"model.onnx keeps the tensor 'minus_one' in another file ('{location}'), but a bundle's model is one file; "
        "load it with its data and save it again: onnx.save(onnx.load(path), path)",
    )


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (b"", "there is no graph in it"),
        (b"not a graph", "a field is of no known kind at byte 1"),
        (b"\x89PNG\r\n\x1a\n", "it ends too early"),
        (sum_graph()[:-10], "it ends too early"),
        (b"\x08\x08", "there is no graph in it"),
        (b"\x80" * 20, "a number is too long at byte 10"),
    ],
)
def test_a_file_that_is_no_onnx_is_refused_with_the_place(tmp_path, model, why):
    require_said_by_both(
        built(tmp_path, model), StartFailure.MODEL_INVALID, f"model.onnx is no ONNX file: {why}"
    )


def feature(place: int, **changed: object):
    features = list(SIGNATURE.features)
    features[place] = msgspec.structs.replace(features[place], **changed)
    return msgspec.structs.replace(SIGNATURE, features=tuple(features))


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"golden": None}, "the bundle has no golden.json"),
        ({"signature": b"{"}, "signature.json can't be read: Input data was truncated"),
        ({"signature": b"[" * 100_000}, "signature.json can't be read: Expected `object`, got `array`"),
        ({"signature": feature(0, tensor="x")}, "feature 'amount' goes to the input 'x', which signature.json has not"),
        ({"signature": feature(0, column=1)}, TWO_AT_ONE_PLACE),
        ({"signature": feature(2, kind="number")}, f"feature 'country' is of the kind number, {NO_FIT}"),
        ({"signature": feature(0, missing="?")}, "what stands for a missing 'amount' does not go into FP32"),
        ({"signature": feature(2, nullable=True)}, f"feature 'country' may be missing, {NO_STAND_IN}"),
        ({"golden": msgspec.structs.replace(GOLDEN, outputs={})}, NO_ANSWERS),
        ({"baseline": msgspec.structs.replace(BASELINE, features={})}, OTHER_FEATURES),
    ],
)  # fmt: skip
def test_contents_that_do_not_fit_each_other_are_refused_before_a_request_finds_out(
    tmp_path, parts, sentence
):
    require_said_by_both(built(tmp_path, **parts), StartFailure.BUNDLE_INVALID, sentence)


def test_a_model_larger_than_what_the_limit_leaves_is_refused_before_the_kernel_ends_the_pod(tmp_path):
    padded = sum_graph() + b"\x9a\x06" + b"\x80\x80\x80\x01" + bytes(2 * MIB)
    failure = started(built(tmp_path, padded), memory_bytes=50 * MIB)
    assert failure.message == (
        "model.onnx has 2Mi, but of the pod's memory limit of 50Mi only 0 bytes are left for it; "
        "raise spec.serving.resources.limits.memory"
    )


def test_a_graph_that_asks_for_more_memory_than_there_is_fails_on_its_golden_rows(tmp_path):
    model = onnx.load_from_string(sum_graph())
    model.graph.initializer.append(helper.make_tensor("vast", TensorProto.INT64, [1], [1 << 45]))
    model.graph.initializer.append(helper.make_tensor("none", TensorProto.FLOAT, [1], [0.0]))
    model.graph.node.insert(0, helper.make_node("Expand", ["none", "vast"], ["much"]))
    model.graph.node.insert(1, helper.make_node("ReduceSum", ["much"], ["zero"], keepdims=0))
    model.graph.node[-1].input[0] = "zero"
    failure = started(built(tmp_path, model.SerializeToString()))
    assert failure.reason is StartFailure.MODEL_INVALID
    assert failure.message == (
        "the model needs more memory for its golden rows than there is; raise spec.serving.resources.limits.memory"
    )
