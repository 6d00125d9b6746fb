"""How the process returns memory."""

from __future__ import annotations

import ctypes
import os

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def return_freed_memory() -> None:
    """Makes glibc hand freed blocks back to the system, and Arrow use it. Where there is no glibc, nothing happens.

    By default it keeps an arena a thread and, once a large block is freed, serves all blocks up to that size from them:
    a server that passes megabytes from thread to thread then holds a third more than it uses.
    """
    # Read when pyarrow is first imported; its own pools keep what they were given.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for parameter, value in ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, 1 << 18), (_TRIM_THRESHOLD, 1 << 20)):
        mallopt(parameter, value)
