"""Rows that the model of every kind takes, each protocol's way to send them, and ways to spoil them."""

import json

from hypothesis import strategies as st

LARGEST = 3.4028234663852886e38  # of float32
EXACT = 2**53

exact_integers = st.integers(-EXACT, EXACT)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
rows = st.tuples(
    st.none() | st.floats(-LARGEST, LARGEST) | exact_integers,
    exact_integers,
    st.floats(allow_nan=False, allow_infinity=False) | exact_integers,
    st.booleans() | st.sampled_from([0, 1]),
    st.none() | texts,
    st.sampled_from(["DE", "FR"]) | texts | exact_integers,
).map(list)
NAMES = ("amount", "visits", "share", "member", "note", "country")
DATATYPES = ("FP32", "INT64", "FP64", "BOOL", "BYTES", "BYTES")


def by_place(instances: list[list]) -> bytes:
    return json.dumps({"instances": instances}).encode()


def by_name(instances: list[list]) -> bytes:
    named = [dict(reversed(list(zip(NAMES, row, strict=True)))) for row in instances]
    return json.dumps({"instances": named}).encode()


def by_feature(instances: list[list]) -> bytes:
    columns = zip(NAMES, DATATYPES, zip(*instances, strict=True), strict=True)
    inputs = [tensor(name, [len(instances)], datatype, list(data)) for name, datatype, data in columns]
    return json.dumps({"inputs": inputs}).encode()


def by_tensor(instances: list[list]) -> bytes:
    """As matrices under the names that the graph has for them, nested and flat."""
    count = len(instances)
    inputs = [
        tensor("numbers", [count, 2], "FP64", [row[:2] for row in instances]),
        tensor("texts", [count, 2], "BYTES", [value for row in instances for value in row[4:]]),
        tensor("member", [count, 1], "BOOL", [[row[3]] for row in instances]),
        tensor("share", [count], "FP64", [row[2] for row in instances]),
    ]
    return json.dumps({"inputs": inputs}).encode()


def tensor(name: str, shape: list[int], datatype: str, data: list) -> dict:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


WAYS = {"v1": (by_place, by_name), "v2": (by_feature, by_tensor)}
bodies = st.one_of(
    *(st.lists(rows, min_size=1, max_size=3).map(write) for ways in WAYS.values() for write in ways)
)
scraps = st.binary(max_size=4) | st.sampled_from(
    [b"[", b"]", b"{", b"}", b",", b'"', b"null", b"NaN", b"-", b"1e999", b"9" * 400, b"\\ud800", b"\\u0000",
     b'"name"', b'"shape"', b'"data":[', b"true", b"\xff", b"0.0", b"[" * 2000]
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, sound: st.SearchStrategy[bytes]) -> bytes:
    """Something sound with up to five places cut out, doubled or overwritten."""
    content = draw(sound)
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        middle = draw(scraps | st.just(content[start:end] * 2))
        content = content[:start] + middle + content[end:]
    return content
