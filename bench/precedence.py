"""Precedence: what is measured runs before whatever else the machine does, where that may be had."""

from __future__ import annotations

import os


def take_precedence() -> str:
    """Moves this process and all that it starts from now on to real-time scheduling; what it got, in words.

    Without it, a p99 on a machine that also runs a cluster is the length of its neighbours' time slices. Linux grants
    it to root only, and keeps a twentieth of the processor for the others even then (sched(7)).
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, PermissionError):
        return "normal: real-time scheduling is not granted to this user"
    return "real-time, before all else on the machine"
