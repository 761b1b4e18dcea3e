"""The operator's memory: what a burst took goes back to the machine."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging

logger = logging.getLogger(__name__)

# kopf holds every object as it came until each was taken in; with a thousand models that is over in 20 s.
FIRST_PAUSE_SECONDS = 30.0
PAUSE_SECONDS = 300.0


async def give_back_memory() -> None:
    """Give back after the start, then now and then.

    Without this, a list of a thousand models that was held for a few seconds at the start would count as used for
    ever: 340 MiB instead of 240. It takes an allocator that can give back single pages, hence PYTHONMALLOC=malloc in
    the chart.
    """
    pause = FIRST_PAUSE_SECONDS
    while (trim := _find_trim()) is not None:
        await asyncio.sleep(pause)
        pause = PAUSE_SECONDS
        gc.collect()
        trim(0)


def _find_trim() -> ctypes._NamedFuncPointer | None:
    """The C library's `malloc_trim`; none where it is not glibc's."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        logger.info("the C library has no malloc_trim: memory that is free is kept")
        return None
