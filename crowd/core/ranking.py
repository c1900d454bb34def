"""When a worker's next task should be gold: early, then at a steady share, and never where the order would show it."""

from __future__ import annotations

EARLY = 4  # golds among a worker's first tasks: quality shows in the first tasks and changes little (Hata 2017)
WINDOW = 8  # the first tasks; gold may be any of them


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
