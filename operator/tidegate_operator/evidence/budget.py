"""How a rollout's budget for errors is shared over its checks."""


def share_budget(budget: float, checks: int) -> float:
    """What each of `checks` checks may spend, so that all together spend no more than `budget`.

    Bonferroni: it holds however the checks depend on each other (a failing request is often a slow one too).
    Raises ValueError without a check or for a budget outside of 0 to 1.
    """
    if checks < 1:
        raise ValueError(f"a budget is shared over at least one check, got {checks}")
    if not 0.0 < budget < 1.0:
        raise ValueError(f"a budget lies between 0 and 1, got {budget}")
    return budget / checks
