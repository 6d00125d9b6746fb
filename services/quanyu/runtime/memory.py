"""Sets how the process returns freed memory to the system."""

from __future__ import annotations

import ctypes
import os

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def return_freed_memory() -> None:
    """Makes glibc return freed blocks to the system, and makes Arrow use glibc; without glibc, does nothing.

    By default, glibc keeps one arena per thread, and serves blocks up to the size of the largest freed block from it.
    A server that passes megabytes from thread to thread then holds a third more memory than it uses.
    """
    # pyarrow reads this when it is first imported; its own pools would keep freed memory.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for parameter, value in ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, 1 << 18), (_TRIM_THRESHOLD, 1 << 20)):
        mallopt(parameter, value)
