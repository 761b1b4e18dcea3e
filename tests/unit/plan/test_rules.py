"""The rules of design.md, held for any order of wishes, faults and looks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.plan.world import ROUTER, SETTINGS, Behaviour, World

from tidegate_operator.plan.facts import PodFact, Trouble, Workload
from tidegate_operator.plan.plan import Route
from tidegate_operator.plan.planner import plan

STEPS = [{"mirror": 100, "hold": "2s"}, {"weight": 5, "hold": "2s"}, {"weight": 50, "hold": "2s"}]
VERSIONS = ("v1", "v2", "v3")
BEHAVIOURS = (
    Behaviour(),
    Behaviour(failing=0.1),
    Behaviour(not_finite=0.05),
    Behaviour(start_seconds=20),
    Behaviour(trouble=Trouble.OUT_OF_MEMORY),
    Behaviour(trouble=Trouble.IMAGE_PULL),
)

wishes = st.one_of(
    st.tuples(st.just("modelVersion"), st.sampled_from((*VERSIONS, "missing"))),
    st.tuples(st.just("paused"), st.booleans()),
    st.tuples(st.just("serving"), st.integers(1, 4).map(lambda n: {"replicas": n})),
)
stories = st.lists(st.tuples(wishes, st.integers(1, 25)), min_size=1, max_size=6)
worlds = st.lists(st.sampled_from(BEHAVIOURS), min_size=2, max_size=2)


def tell(story, behaviours, watch) -> World:
    """Plays a story that begins with v1 in service, and lets `watch` look at every plan."""
    world = World(requests_per_second=60)
    for name, behaviour in zip(VERSIONS, (Behaviour(), *behaviours), strict=True):
        world.version(name, behaviour)
    world.apply(modelVersion="v1", rollout={"steps": STEPS, "keepWarm": "10s"})
    world.play(5)
    for (key, value), seconds in story:
        world.apply(**{key: value})
        for _ in range(seconds):
            snapshot = world.snapshot_again()
            world.play(1)
            watch(world, snapshot)
    return world


@settings(max_examples=60, deadline=None)
@given(stories, worlds)
def test_somebody_answers_always_and_only_with_pods_that_are_ready(story, behaviours):
    def watch(world, _):
        route = world.last.route
        assert world.workloads[route.stable][1] >= 1
        assert world.behaviours[world.name_of(route.stable)].trouble is None
        if route.weight or route.mirror:
            assert world.was_ready[route.candidate]

    tell(story, behaviours, watch)


@settings(max_examples=60, deadline=None)
@given(stories, worlds)
def test_the_weight_is_never_above_its_step_and_zero_without_a_candidate(story, behaviours):
    def watch(world, _):
        route, rollout = world.last.route, world.last.status.rollout
        if route.candidate is None:
            assert (route.weight, route.mirror) == (0, 0)
        elif rollout.step_started_at:
            step = STEPS[rollout.step]
            assert route.weight <= step.get("weight", 0)
            assert route.mirror <= step.get("mirror", 0)

    tell(story, behaviours, watch)


@settings(max_examples=30, deadline=None)
@given(stories, worlds)
def test_the_same_look_gives_the_same_plan(story, behaviours):
    def watch(world, snapshot):
        assert plan(snapshot, world.now, SETTINGS) == plan(snapshot, world.now, SETTINGS)

    tell(story, behaviours, watch)


@settings(max_examples=60, deadline=None)
@given(stories, worlds)
def test_a_rejected_revision_gets_no_traffic_again(story, behaviours):
    def watch(world, _):
        route, rejected = world.last.route, {entry.revision for entry in world.last.status.rejected}
        assert route.candidate not in rejected
        assert route.stable not in rejected or world.revisions[route.stable].promoted

    tell(story, behaviours, watch)


@settings(max_examples=30, deadline=None)
@given(stories, worlds)
def test_a_revision_is_rendered_once(story, behaviours):
    seen = {}

    def watch(world, _):
        for name, revision in world.revisions.items():
            assert seen.setdefault(name, revision.template) == revision.template

    tell(story, behaviours, watch)


def test_an_operator_upgrade_changes_no_pod():
    world = World().version("v1").apply(modelVersion="v1").play(10)
    newer = SETTINGS.__class__(predictor_image="predictor:2", log_format="text")
    before = plan(world.snapshot_again(), world.now, SETTINGS)
    assert plan(world.snapshot_again(), world.now, newer).apply == before.apply


def test_the_same_bytes_under_another_name_are_the_same_revision_and_called_by_what_is_asked_for():
    """Without this, who waits for status.version to be what they asked for would wait for ever."""
    world = World().version("v1").apply(modelVersion="v1").play(10)
    world.version("v1-again", digest="0", path="v1").apply(modelVersion="v1-again").play(2)
    assert world.last.status.version == "v1-again"
    assert world.last.status.conditions[0].message == "v1-again serves all requests with 1 pods"
    assert len(world.revisions) == len(world.workloads) == 1


def test_routers_hear_of_a_candidate_only_when_its_pods_are_ready():
    world = World().version("v1").version("v2").apply(modelVersion="v1").play(5).apply(modelVersion="v2")
    assert world.look().route.candidate is None
    assert world.play(3).look().route.candidate == world.last.status.candidate.revision


def test_routers_hear_of_a_first_version_only_when_its_pods_are_ready():
    world = World().version("v1").apply(modelVersion="v1", serving={"replicas": 2})
    assert world.look().route is None
    assert world.play(3).last.route == Route(world.last.status.stable.revision)


def test_a_first_version_serves_only_when_every_router_has_its_route():
    world = World(routes_known=False).version("v1").apply(modelVersion="v1").play(10)
    assert world.last.status.stable is None
    world.routes_known = True
    assert world.play(2).last.status.stable.model_version == "v1"


def test_a_first_version_serves_only_when_a_router_takes_requests():
    world = World(router=Workload(1, (PodFact("tidegate-router-x", ready=False),)))
    world.version("v1").apply(modelVersion="v1").play(10)
    assert world.last.status.stable is None
    assert world.last.status.conditions[0].message == (
        "v1 starts: its pods are ready, but no router of the namespace answers"
    )
    world.router = ROUTER
    assert world.play(2).last.status.stable.model_version == "v1"


def test_a_later_version_does_not_wait_for_the_routes_of_others():
    world = World().version("v1").version("v2").apply(modelVersion="v1").play(10)
    world.routes_known = False
    assert world.apply(modelVersion="v2").play(10).last.route.mirror == 100


def test_routers_go_on_knowing_a_candidate_that_has_traffic():
    world = World().version("v1").version("v2").apply(modelVersion="v1", rollout={"steps": STEPS}).play(5)
    world.apply(modelVersion="v2").play(5)
    candidate = world.last.route.candidate
    world.behaviours["v2"] = Behaviour(start_seconds=1000)
    assert world.look().route.candidate == candidate


def test_a_crash_between_any_two_looks_loses_nothing():
    """All state is status: a world that is rebuilt from what the API server keeps goes on the same way."""
    world = World().version("v1").version("v2").apply(modelVersion="v1", rollout={"steps": STEPS}).play(5)
    world.apply(modelVersion="v2")
    for _ in range(60):
        world.play(1)
        world.last = plan(world.snapshot_again(), world.now, SETTINGS)
    assert world.status["version"] == "v2"


def test_what_nobody_could_see_is_not_held_against_a_candidate():
    """The API server was away while its pods became ready, and their watch has not caught up."""
    world = World().version("v1").version("v2", Behaviour(start_seconds=3600))
    world.apply(modelVersion="v1").play(10).apply(modelVersion="v2").play(50)
    world.seen_seconds = 0.0
    world.play(300)
    world.seen_seconds = 59.0
    assert world.play(1).last.status.candidate
    world.seen_seconds = 61.0
    assert not world.play(1).last.status.candidate
