"""What can go wrong with verdicts, releases and exports, as it is told to the caller."""

from __future__ import annotations

from annotation.errors import Problem


class AlreadyDecided(Problem):
    """This was decided already, or has changed since you looked at it."""

    status = 409
    code = "already-decided"


class NothingToRelease(Problem):
    """Nothing of this project was accepted yet, so there is nothing to release."""

    status = 409
    code = "nothing-to-release"


class NotReady(Problem):
    """This is still being made; ask again in a moment."""

    status = 409
    code = "not-ready"


class NoSeatsLeft(Problem):
    """The budget covers no more seats, so nobody could do this again. Raise the budget, or amend what is there."""

    status = 409
    code = "no-seats-left"


class NotGold(Problem):
    """Only a consensus that was accepted, and is sure, becomes gold."""

    status = 409
    code = "not-gold"


class NotSettled(Problem):
    """The last frames of this video are still being looked at, so their numbers may change; send this again soon."""

    status = 409
    code = "not-settled"
    keeps = True  # the look at them is asked for


class NotTracks(Problem):
    """Only finished tracks are taken back: gold and pre-labels were given to people already."""

    status = 409
    code = "not-tracks"
