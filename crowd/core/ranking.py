"""What comes first for whom: gold early, then at a steady share, never where the order would show it; hard seats.

A seat for a hard segment is ahead of all others for those who are skilled, and behind them for everybody else.
"""

from __future__ import annotations

EARLY = 4  # golds among a worker's first tasks: quality shows in the first tasks and changes little (Hata 2017)
WINDOW = 8  # the first tasks; gold may be any of them
HARD = 1_000_000  # what a hard seat's priority is more than its task's
ANY = 2**31 - 1  # no priority is above it
ABLE = 0.8  # skill's lower quantile from which hard seats come first: better than a newcomer is taken to be


def most_priority(skill_low: float | None) -> int:
    """Up to which priority a worker's seats come first; what lies above it is for them only where nothing else is left.

    >>> most_priority(None) < HARD <= most_priority(0.9)
    True
    """
    return ANY if skill_low is not None and skill_low >= ABLE else HARD - 1


def wants_gold(*, tasks: int, gold: int, share: float, chance: float) -> bool:
    """Whether the next task of a worker who got `tasks`, `gold` of them gold, should be gold too.

    `chance` is a fresh random number in [0, 1). Within the first tasks every arrangement of the early golds is equally
    likely, and after them every task is gold with probability `share`, so that no place in the order tells anything.
    A share of 0 means no gold at all.
    """
    if share <= 0:
        return False
    left, needed = WINDOW - tasks, EARLY - gold
    if left > 0 and needed > 0:
        return chance < max(share, needed / left)
    return chance < share
