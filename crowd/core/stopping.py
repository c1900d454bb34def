"""How many more workers a segment needs: one at a time while that is worth it, never above the policy's bound."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Protocol

PRICE = 0.025  # of a segment's boxes that one more worker has to be expected to put right; see docs/methods.md


class Redundancy(Protocol):
    """What of a policy decides here."""

    @property
    def first_seats(self) -> int: ...

    @property
    def max_redundancy(self) -> int: ...

    @property
    def agreement_floor(self) -> float: ...


def seats_wanted(*, policy: Redundancy, agreement: float, submissions: int, enough: bool = True) -> int:
    """How many seats to open beside those whose `submissions` are in; 0 says that more workers are not the answer.

    `agreement` is the mean soft track F of the submissions with their consensus. One submission agrees with itself.
    The policy says through `first_seats` whether it is adaptive; from there on each further seat has to be earned by
    an agreement under the floor, or by what is not `enough` in other ways (`settled`).
    """
    missing = min(policy.first_seats, policy.max_redundancy) - submissions
    if missing > 0:
        return missing
    agreed = submissions == 1 or (agreement >= policy.agreement_floor and enough)
    return 0 if agreed or submissions >= policy.max_redundancy else 1


def settled(*, gain: float, empty: bool, proven: bool, price: float = PRICE) -> bool:
    """Whether one more worker is not worth the price, of an adaptive policy.

    `gain` is the share of a segment's boxes that one more is expected to put right. That a segment is `empty` is what
    spammers agree on: it is believed early only of those who are `proven` on gold with objects.
    """
    return gain <= price and (proven or not empty)


def votes_needed(quorum: Fraction, submissions: int) -> int:
    """How many of n ≥ 2 workers must have drawn an object: max(2, ⌈quorum · n⌉), exactly; of one worker, one.

    >>> votes_needed(Fraction(2, 3), 3)
    2
    """
    return 1 if submissions < 2 else max(2, math.ceil(quorum * submissions))
