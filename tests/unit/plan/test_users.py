"""Who uses a version: everybody that it is something to, once, by what it is to them most."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_operator.api.version_status import Place, User
from tidegate_operator.plan.users import DeploymentFact, Record, Role, find_users

THIS, OTHER = Role("fraud-r1", "v1"), Role("fraud-r2", "v2")
FRAUD = DeploymentFact("fraud", "u1", wanted="v2")
SERVED = Record("fraud-r1", "u1", "sha256:1", promoted=True)

PLACES = [
    ("it answers requests", replace(FRAUD, stable=THIS, wanted="v1"), (), ("Serving", "fraud-r1")),
    ("it does so though another is asked for", replace(FRAUD, stable=THIS), (SERVED,), ("Serving", "fraud-r1")),
    ("it is being tried", replace(FRAUD, stable=OTHER, candidate=THIS), (), ("Candidate", "fraud-r1")),
    ("its pods are kept", replace(FRAUD, stable=OTHER, warm=THIS), (SERVED,), ("Warm", "fraud-r1")),
    ("it is asked for and was taken back", replace(FRAUD, stable=OTHER, wanted="v1"), (), ("Wanted", None)),
    ("it served once", replace(FRAUD, stable=OTHER), (SERVED,), ("History", "fraud-r1")),
    (
        "it is asked for once more",
        replace(FRAUD, stable=OTHER, wanted="v1"),
        (SERVED,),
        ("Wanted", None),
    ),
    ("it was tried and never served", FRAUD, (replace(SERVED, promoted=False),), None),
    ("it served for a namesake that was deleted", FRAUD, (replace(SERVED, owner_uid="u0"),), None),
    ("it is nothing to it", replace(FRAUD, stable=OTHER, candidate=OTHER, warm=OTHER), (), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "records", "found"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES]
)
def test_a_place(fact, records, found):
    users = find_users("v1", (fact,), records)
    assert [(user.place, user.revision) for user in users] == ([found] if found else [])


def test_a_version_that_serves_and_competes_under_other_limits_serves():
    fact = replace(FRAUD, wanted="v1", stable=THIS, candidate=Role("fraud-r3", "v1"))
    assert find_users("v1", (fact,), ()) == (User(name="fraud", place=Place.SERVING, revision="fraud-r1"),)


def test_of_two_records_the_first_by_name_is_told():
    records = tuple(Record(f"fraud-{letter}", "u1", "", promoted=True) for letter in "bac")
    assert find_users("v1", (FRAUD,), records)[0].revision == "fraud-a"


ROLE = st.none() | st.builds(Role, st.sampled_from(["r1", "r2"]), st.sampled_from(["v1", "v2"]))
FACTS = st.lists(
    st.builds(
        DeploymentFact,
        name=st.sampled_from("abcdefgh"),
        uid=st.just(""),
        wanted=st.sampled_from(["v1", "v2"]),
        stable=ROLE,
        candidate=ROLE,
        warm=ROLE,
    ),
    unique_by=lambda fact: fact.name,
).map(lambda facts: [replace(fact, uid=f"uid-of-{fact.name}") for fact in facts])
RECORDS = st.lists(
    st.builds(
        Record,
        revision=st.sampled_from(["r1", "r2", "r3"]),
        owner_uid=st.sampled_from("abcdefgh").map("uid-of-{}".format),
        digest=st.just(""),
        promoted=st.booleans(),
    )
)


@given(FACTS, RECORDS, st.randoms())
def test_everybody_is_named_once_strongest_first_in_whichever_order_they_are_seen(facts, records, order):
    users = find_users("v1", facts, records)
    names = [user.name for user in users]
    assert len(set(names)) == len(names)
    assert [user.place for user in users] == sorted((user.place for user in users), key=list(Place).index)
    assert users == find_users("v1", order.sample(facts, len(facts)), order.sample(records, len(records)))


@given(FACTS, RECORDS)
def test_who_names_it_or_can_go_back_to_it_is_a_user_and_nobody_else(facts, records):
    kept = {record.owner_uid for record in records if record.promoted}
    named = {
        fact.name
        for fact in facts
        if fact.wanted == "v1"
        or any(role and role.model_version == "v1" for role in (fact.stable, fact.candidate, fact.warm))
        or fact.uid in kept
    }
    assert {user.name for user in find_users("v1", facts, records)} == named
