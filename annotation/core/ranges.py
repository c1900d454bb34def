"""Ranges of whole numbers, many at once: what a loop over `range` would list."""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Ints


def ranges(first: Ints | int, count: Ints) -> tuple[Ints, Ints]:
    """`count` whole numbers from each `first` on, one range after the other: which range it is, and the number.

    >>> which, number = ranges(np.array([5, 7, 0]), np.array([2, 0, 3]))
    >>> which.tolist(), number.tolist()
    ([0, 0, 2, 2, 2], [5, 6, 0, 1, 2])
    """
    which = np.repeat(np.arange(len(count)), count)
    return which, np.arange(len(which)) + np.repeat(first - np.cumsum(count) + count, count)
