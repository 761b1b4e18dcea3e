"""How many pods a share of traffic needs."""

from __future__ import annotations

import pytest

from tidegate_operator.plan.startup import pods_needed


@pytest.mark.parametrize(
    ("replicas", "share", "pods"),
    [
        pytest.param(10, 25, 3, id="as-many-as-its-share-rounded-up"),
        pytest.param(10, 5, 2, id="never-one-where-another-could-take-over"),
        pytest.param(1, 50, 1, id="one-where-the-user-has-no-more"),
        pytest.param(3, 100, 3, id="all-for-all"),
    ],
)
def test_a_share_needs_pods(replicas: int, share: int, pods: int) -> None:
    assert pods_needed(replicas, share) == pods
