"""A ModelVersion tells who uses it, what it holds and whether it is what was packaged; and what served is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from demo.kubectl import ProgramFailedError
from demo.waiting import Deadline, wait_for
from tests.cluster.causes import enter
from tests.cluster.library import MODEL
from tests.cluster.place import REFUSED, Place

TOLD = Deadline("what its status should say", 60)
SERVES = Deadline("the version's service", 60)
AT_ONCE = {"strategy": "Immediate", "keepWarm": "0s"}


def until_told(place: Place, version: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Waits until the status of a version is so."""
    seen: list[dict[str, Any]] = [{}]

    def look() -> dict[str, Any] | None:
        seen[0] = (place.kubectl.get("modelversion", version) or {}).get("status", {})
        return seen[0] if holds(seen[0]) else None

    return wait_for(TOLD, look, last_seen=lambda: seen[0])


def place_of(status: dict[str, Any]) -> list[tuple[str, str]]:
    return [(user["name"], user["as"]) for user in status.get("usedBy", ())]


def verified(status: dict[str, Any]) -> tuple[str, str]:
    conditions = {one["type"]: (one["status"], one["reason"]) for one in status.get("conditions", ())}
    return conditions.get("Verified", ("", ""))


def test_what_served_is_told_and_kept_and_freed_with_who_kept_it(place: Place) -> None:
    place.register("income-1", "income-2")
    place.serve("income-1", AT_ONCE)
    status = until_told(place, "income-1", lambda status: "signature" in status)
    assert verified(status) == ("True", "Loaded")
    assert place_of(status) == [(MODEL, "Serving")]
    assert status["size"] > 1_000
    assert {one["name"] for one in status["signature"]["inputs"]} > {"age", "occupation"}
    place.deploy("income-2", AT_ONCE)
    place.until(SERVES, lambda view: view.ready and view.stable == "income-2")
    until_told(place, "income-1", lambda status: place_of(status) == [(MODEL, "History")])
    with pytest.raises(ProgramFailedError, match="kept as history by ModelDeployment income"):
        place.kubectl.run("delete", "modelversion", "income-1")
    place.kubectl.run("delete", "modeldeployment", MODEL)
    until_told(place, "income-1", lambda status: place_of(status) == [])
    place.kubectl.run("delete", "modelversion", "income-1")


def test_a_version_whose_bytes_are_others_is_not_verified(place: Place) -> None:
    place.register("income-1")
    place.serve("income-1", AT_ONCE)
    enter(place, "changed", digest="sha256:" + "0" * 64)
    place.deploy("changed", AT_ONCE)
    place.until(REFUSED, lambda view: view.phase == "RolledBack")
    until_told(place, "changed", lambda status: verified(status) == ("False", "DigestMismatch"))
