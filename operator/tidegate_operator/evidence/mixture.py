"""Mixtures of likelihood ratios or wealths, in log space so that no count is too large."""

import numpy as np

from tidegate_operator.evidence.counts import Floats


def log_mix(log_values: Floats, log_prior: Floats) -> Floats:
    """The log of the prior's mean of values given by their logs along the last axis."""
    weighted = log_values + log_prior
    highest = weighted.max(axis=-1)
    mixture: Floats = highest + np.log(np.exp(weighted - highest[..., None]).sum(axis=-1))
    return mixture


def sum_since(by_step: Floats) -> Floats:
    """For each step, the sum over it and all later ones; steps along the last axis but one."""
    since: Floats = by_step[..., ::-1, :].cumsum(axis=-2)[..., ::-1, :]
    return since
