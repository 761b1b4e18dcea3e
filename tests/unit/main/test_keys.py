"""Keys: a change queues those that it concerns, and nobody else."""

from __future__ import annotations

import itertools

import pytest
from tests.unit.main.bodies import body, model_deployment

from tidegate_operator.main.keys import find_all_keys, find_keys
from tidegate_operator.observe.store import Key, Kind, Store
from tidegate_operator.routing.router import ROUTER_LABELS

FRAUD, ROUTER = Key("shop", "fraud"), Key("shop")


@pytest.fixture
def store() -> Store:
    """Two models."""
    store = Store()
    for name in ("fraud", "churn"):
        store.put(Kind.MODEL_DEPLOYMENT, model_deployment(name))
    return store


def test_a_new_model_concerns_itself_and_the_router_of_its_namespace(store: Store) -> None:
    assert list(find_keys(store, Kind.MODEL_DEPLOYMENT, None, model_deployment())) == [FRAUD, ROUTER]


@pytest.mark.parametrize(
    "metadata",
    [
        {"generation": 2},
        {"annotations": {"tidegate.io/retry": "1"}},
        {"deletionTimestamp": "now"},
        {"uid": "another"},
    ],
)
def test_what_a_user_changed_concerns_the_model(store: Store, metadata: dict[str, object]) -> None:
    after = model_deployment(metadata=metadata)
    assert FRAUD in find_keys(store, Kind.MODEL_DEPLOYMENT, model_deployment(), after)


def test_our_own_status_coming_back_is_no_news(store: Store) -> None:
    after = model_deployment(version=2, status={"phase": "Serving"})
    assert list(find_keys(store, Kind.MODEL_DEPLOYMENT, model_deployment(), after)) == []


def test_a_model_version_concerns_the_models_that_ask_for_it(store: Store) -> None:
    assert list(find_keys(store, Kind.MODEL_VERSION, None, body("fraud-1"))) == [FRAUD]


def test_the_status_of_a_version_concerns_no_model(store: Store) -> None:
    after = body("fraud-1", version=2, status={"users": 1})
    assert list(find_keys(store, Kind.MODEL_VERSION, body("fraud-1"), after)) == []


def test_a_namesake_of_a_version_concerns_the_models_that_ask_for_it(store: Store) -> None:
    after = body("fraud-1", version=2, metadata={"uid": "another"})
    assert list(find_keys(store, Kind.MODEL_VERSION, body("fraud-1"), after)) == [FRAUD]


@pytest.mark.parametrize("kind", [Kind.POD, Kind.DEPLOYMENT, Kind.SERVICE, Kind.CONTROLLER_REVISION])
def test_an_object_concerns_the_model_that_it_belongs_to(store: Store, kind: Kind) -> None:
    assert list(find_keys(store, kind, None, body("fraud-1-x", owner="fraud"))) == [FRAUD]


VERSIONS = itertools.count(1)


def router(name: str, *, ready: bool = False, going: bool = False) -> dict:
    """A router pod, later than the one before."""
    metadata = {"labels": ROUTER_LABELS} | ({"deletionTimestamp": "now"} if going else {})
    conditions = [{"type": "Ready", "status": str(ready)}]
    return body(
        f"tidegate-router-{name}",
        version=next(VERSIONS),
        metadata=metadata,
        status={"conditions": conditions},
    )


def follow(store: Store, before: dict | None, after: dict) -> list[Key]:
    """The keys of a pod that is told of."""
    store.put(Kind.POD, after)
    return sorted(find_keys(store, Kind.POD, before, after))


BOTH = [Key("shop", "churn"), FRAUD]


def test_while_no_router_takes_requests_what_is_told_of_routers_concerns_every_model(store: Store) -> None:
    deployment = body("tidegate-router", metadata={"labels": ROUTER_LABELS})
    assert sorted(find_keys(store, Kind.DEPLOYMENT, None, deployment)) == [ROUTER, *BOTH]
    assert follow(store, None, router("x")) == BOTH
    assert follow(store, router("x"), router("x", ready=True)) == BOTH
    assert follow(store, router("x", ready=True), router("x", ready=True)) == []
    assert list(find_keys(store, Kind.DEPLOYMENT, deployment, deployment)) == [ROUTER]
    assert follow(store, router("x", ready=True), router("x", ready=True, going=True)) == BOTH


def test_where_another_router_takes_requests_one_more_or_less_concerns_nobody(store: Store) -> None:
    store.put(Kind.POD, router("y", ready=True))
    assert follow(store, router("x"), router("x", ready=True)) == []
    assert follow(store, router("x", ready=True), router("x")) == []


def test_a_router_that_is_gone_at_once_concerns_every_model(store: Store) -> None:
    assert sorted(find_keys(store, Kind.POD, None, router("x", ready=True))) == BOTH


def test_everything_is_every_model_and_version_and_one_router_a_namespace(store: Store) -> None:
    store.put(Kind.MODEL_VERSION, body("fraud-1"))
    version = Key("shop", "fraud-1", Kind.MODEL_VERSION)
    assert sorted(find_all_keys(store)) == [ROUTER, Key("shop", "churn"), FRAUD, version]
