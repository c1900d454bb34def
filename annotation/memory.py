"""How a process holds its memory."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt(3)
KEPT_BYTES = 16 << 20


def keep_freed_memory() -> None:
    """Blocks of some megabytes come and go in every job. Given back to the system each time, as glibc does, they come
    back as page faults, which are a tenth of what a small export costs."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            mallopt(option, KEPT_BYTES)
