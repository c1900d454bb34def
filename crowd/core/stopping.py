"""How many more workers a segment needs: one at a time while that is worth it, never above the policy's bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

GAIN_FLOOR = 0.025  # of a segment's boxes that one more worker has to be expected to put right; see docs/methods.md

Why = Literal["", "first", "agreement", "gain", "empty"]


class Redundancy(Protocol):
    """What of a policy decides here."""

    @property
    def first_seats(self) -> int: ...

    @property
    def max_redundancy(self) -> int: ...

    @property
    def agreement_floor(self) -> float: ...

    @property
    def gain_floor(self) -> float: ...

    @property
    def adaptive(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """What a consensus says of its task: `agreement` is how like it the submissions are in the mean, `gain` the share
    of it that one more worker is expected to put right; it may be `empty`, by workers who are `proven` on gold that
    holds something. Where nothing but intervals was marked it is `timed`."""

    agreement: float
    gain: float = 0.0
    empty: bool = False
    proven: bool = True
    timed: bool = False


def why_more(*, policy: Redundancy, judged: Judged, submissions: int) -> Why:
    """Why a task of so many `submissions` needs one more, with no regard to what is allowed; "" if it needs none.

    A policy that is adaptive goes by risk, another one by agreement, and where it is `timed` the first by both. One
    submission agrees with itself, and is what the policy wants.
    """
    if submissions < min(policy.first_seats, policy.max_redundancy):
        return "first"
    if submissions == 1:
        return ""
    if (not policy.adaptive or judged.timed) and judged.agreement < policy.agreement_floor:
        return "agreement"
    if not policy.adaptive:
        return ""
    if settled(gain=judged.gain, empty=judged.empty, proven=judged.proven, gain_floor=policy.gain_floor):
        return ""
    return "gain" if judged.gain > policy.gain_floor else "empty"


def seats_wanted(*, policy: Redundancy, judged: Judged, submissions: int) -> int:
    """How many seats to open beside those whose `submissions` are in; 0 says that more workers are not the answer."""
    missing = min(policy.first_seats, policy.max_redundancy) - submissions
    if missing > 0:
        return missing
    more = why_more(policy=policy, judged=judged, submissions=submissions)
    return 1 if more and submissions < policy.max_redundancy else 0


def settled(*, gain: float, empty: bool, proven: bool, gain_floor: float = GAIN_FLOOR) -> bool:
    """Whether one more worker brings too little, of an adaptive policy.

    `gain` is the share of a segment's boxes that one more is expected to put right. That a segment is `empty` is what
    spammers agree on: it is believed early only of those who are `proven` on gold with objects.
    """
    return gain <= gain_floor and (proven or not empty)


def votes_needed(quorum: Fraction, submissions: int) -> int:
    """How many of n ≥ 2 workers must have drawn an object: max(2, ⌈quorum · n⌉), exactly; of one worker, one.

    >>> votes_needed(Fraction(2, 3), 3)
    2
    """
    return 1 if submissions < 2 else max(2, math.ceil(quorum * submissions))
