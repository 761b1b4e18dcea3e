"""A version that can't start never takes traffic, and says why in one sentence."""

import pytest
from tests.cluster.library import MODEL
from tests.cluster.place import FIRST_SERVES, REFUSED, Place

NO_SUCH_BUNDLE = "sha256:" + "0" * 64


def test_bundle_that_is_not_what_was_tested(place: Place) -> None:
    """Another digest than the store's bytes have: taken back for DigestMismatch, stable serves all along."""
    place.register("income-1")
    place.serve("income-1")
    place.register("income-2", digest=NO_SUCH_BUNDLE)
    with place.traffic() as load:
        place.deploy("income-2")
        view = place.until(REFUSED, lambda view: "income-2" in view.rejected)
    assert view.rejected["income-2"].startswith("DigestMismatch: ")
    assert set(load.book.answered) == {view.revisions["income-1"]}
    assert load.book.failures() == 0, list(load.book.tell_failures())


@pytest.mark.parametrize(("folder", "reason"), [("no-such-folder", "SourceNotFound")])
def test_first_version_that_is_not_there(place: Place, folder: str, reason: str) -> None:
    """With nothing to fall back on, the sentence is all there is: in the condition, with the reason."""
    source = place.library.versions["income-1"]["spec"]["source"]
    place.register("income-1", source={**source, "uri": f"s3://models/{MODEL}/{folder}"})
    place.deploy("income-1", serving={"startup": {"timeout": "15s"}})
    view = place.until(FIRST_SERVES, lambda view: folder in view.message)
    assert not view.ready
    conditions = {c["type"]: c["reason"] for c in place.object()["status"]["conditions"]}
    assert conditions["Ready"] == reason
