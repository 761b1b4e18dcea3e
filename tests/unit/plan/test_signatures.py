"""Under a release policy nothing unsigned is loaded anew; what serves goes on. Whole stories are in golden/."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.plan.test_gating import GATES, GOOD
from tests.unit.plan.test_rules import VERSIONS, stories, tell, worlds
from tests.unit.plan.test_transcripts import deployed
from tests.unit.plan.world import Behaviour, World

from tidegate_operator.api.status import Phase
from tidegate_operator.plan.summary import MESSAGE_LIMIT

ML_TEAM = "key ml-team"
IMMEDIATE = {"strategy": "Immediate"}


def ready(world: World) -> tuple[str, str, str]:
    """The condition Ready."""
    (found,) = (one for one in world.last.status.conditions if one.type == "Ready")
    return found.status, found.reason, found.message


def kinds_of(world: World, version: str) -> set[str]:
    """What there is of a version."""
    records = {"record" for revision in world.revisions.values() if revision.model_version == version}
    pods = {"pods" for name in world.workloads if world.name_of(name) == version}
    return records | pods | {"gates" for _, gated in world.jobs.values() if gated == version}


def test_an_unsigned_version_is_not_loaded_and_its_signed_twin_is(golden):
    world = deployed(v2=Behaviour()).want_signatures(ML_TEAM, "v1", "v2").apply(modelVersion="v2").play(60)
    assert kinds_of(world, "v2") == set()
    world.version("v2-signed", digest="b").apply(modelVersion="v2-signed", rollout=IMMEDIATE).play(10)
    golden("not_signed", world.transcript("v2 is not signed, and is then registered with its signature"))
    assert world.last.status.version == "v2-signed"


def test_a_new_policy_stops_an_unsigned_candidate_and_no_way_leads_back_to_an_unsigned_version(golden):
    world = deployed(v2=Behaviour(), v3=Behaviour()).apply(modelVersion="v2").play(30)
    world.want_signatures(ML_TEAM, "v1", "v2").play(10)
    world.apply(modelVersion="v3", rollout=IMMEDIATE).play(10).apply(modelVersion="v1").play(10)
    golden(
        "policy_arrives",
        world.transcript("a policy arrives while v2 is a canary, then v1 is asked for again"),
    )
    assert world.last.status.version == "v3"
    assert world.last.status.rejected == ()


def test_no_gate_is_run_for_a_version_that_may_not_be_released():
    world = World().version("v1", Behaviour(gates=GOOD)).want_signatures(ML_TEAM, "v1")
    world.apply(modelVersion="v1", gates=GATES).play(60)
    assert kinds_of(world, "v1") == set()
    assert world.last.route is None
    assert world.last.status.phase is Phase.BLOCKED


def test_what_serves_is_ready_still_and_says_what_it_lacks():
    world = deployed().want_signatures(ML_TEAM, "v1").play(10)
    status, reason, message = ready(world)
    assert (status, reason) == ("True", "Serving")
    assert message.startswith("v1 serves all requests with 1 pods, since it did before this was wanted: ")
    assert ML_TEAM in message


def test_what_serves_may_grow_and_is_not_loaded_under_other_limits():
    world = deployed().want_signatures(ML_TEAM, "v1").apply(serving={"replicas": 3}).play(10)
    assert ready(world)[:2] == ("True", "Serving")
    assert [wanted for _, wanted in world.workloads.values()] == [3]
    world.apply(serving={"replicas": 3, "resources": {"limits": {"memory": "1Gi"}}}).play(10)
    assert ready(world)[:2] == ("False", "NotSigned")
    assert ready(world)[2].startswith("v1 goes on as it is and is loaded in no other way: ")
    assert len(world.workloads) == len(world.revisions) == 1


def test_a_signed_candidate_goes_on_while_an_unsigned_version_is_asked_for():
    world = deployed(v2=Behaviour(), v3=Behaviour()).apply(modelVersion="v2").play(20)
    world.want_signatures(ML_TEAM, "v3").apply(modelVersion="v3").play(10)
    assert ready(world)[1] == "NotSigned"
    assert world.last.status.candidate.model_version == "v2"
    assert world.last.status.phase is Phase.MIRRORING or world.last.status.phase is Phase.CANARY


def test_a_version_that_another_policy_lets_in_goes_on_by_itself():
    world = deployed(v2=Behaviour()).want_signatures(ML_TEAM, "v2")
    world.apply(modelVersion="v2", rollout=IMMEDIATE).play(10)
    assert world.last.status.version == "v1"
    world.want_signatures("key corp").play(10)
    assert world.last.status.version == "v2"


def test_what_serves_and_is_signed_later_is_the_same_revision_under_another_name():
    world = deployed().want_signatures(ML_TEAM, "v1").play(5).version("v1-signed", digest="0", path="v1")
    world.apply(modelVersion="v1-signed").play(5)
    assert world.last.status.version == "v1-signed"
    assert ready(world) == ("True", "Serving", "v1-signed serves all requests with 1 pods")
    assert len(world.revisions) == len(world.workloads) == 1


def test_a_candidate_of_the_same_bytes_as_an_unsigned_version_is_called_by_its_signed_name():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(30).want_signatures(ML_TEAM, "v2").play(10)
    world.version("v2-signed", digest="1", path="v2").apply(modelVersion="v2-signed").play(150)
    assert world.last.status.version == "v2-signed"
    assert len(world.revisions) == 2


def test_the_longest_message_still_says_what_mends_it():
    long = " or ".join(["authority " + "a" * 63] * 5)
    world = (
        deployed(v2=Behaviour()).want_signatures(long, "v2", why="w" * 300).apply(modelVersion="v2").play(2)
    )
    assert len(ready(world)[2]) < MESSAGE_LIMIT
    assert ready(world)[2].endswith("since a ModelVersion never changes")


@settings(max_examples=60)
@given(stories, worlds, st.sets(st.sampled_from(VERSIONS)), st.integers(1, 20))
def test_nothing_unsigned_is_loaded_unless_it_served_already(story, behaviours, unsigned, looks):
    """Whatever is asked for, and whenever the policy arrives."""
    left, stable, before = looks, "", frozenset[str]()

    def watch(world, _):
        nonlocal left, stable, before
        left -= 1
        if left == 0:
            stable, before = world.last.status.version, frozenset(world.revisions)
            world.want_signatures(ML_TEAM, *unsigned)
        if left < 0:
            candidate = world.last.status.candidate
            assert candidate is None or candidate.model_version not in unsigned
            assert world.last.status.version not in unsigned - {stable}
            new = {world.name_of(name) for name in world.revisions.keys() - before}
            assert new.isdisjoint(unsigned)

    tell(story, behaviours, watch)
