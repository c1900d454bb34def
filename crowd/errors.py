"""What can go wrong with work that is given out, as it is told to the caller."""

from __future__ import annotations

from annotation.errors import Problem


class WrongToken(Problem):
    """This is not the token of the seat's current claim."""

    status = 409
    code = "wrong-token"


class SeatIsOver(Problem):
    """This seat is no longer held: it was submitted, released or decided already."""

    status = 409
    code = "seat-is-over"


class LeaseIsOver(Problem):
    """The lease ran out, or the seat was taken back, before this arrived."""

    status = 410
    code = "lease-is-over"
    # The body that came too late is stored, and the seat ended.
    keeps = True


class DraftChanged(Problem):
    """This task was worked on in another browser since this page was opened; what that one saved is newer."""

    status = 409
    code = "draft-changed"


class TooMuchLeft(Problem):
    """You left long drafts at many tasks that you gave back or that ran out: a long one is not kept beside them, only
    submitted."""

    status = 413
    code = "too-much-left"


class NoRenewalsLeft(Problem):
    """The lease was renewed as often as this project allows."""

    status = 409
    code = "no-renewals-left"


class NotAllowedToWork(Problem):
    """You cannot take work in this project at the moment."""

    status = 403
    code = "not-allowed-to-work"


class OwnWork(Problem):
    """Nobody decides about their own work, nor about pay for it: somebody else has to."""

    status = 403
    code = "own-work"


class VideoInUse(Problem):
    """The video is in a batch already; cancel that batch before launching it again."""

    status = 409
    code = "video-in-use"


class NothingToLaunch(Problem):
    """No video is left to launch: every one is in a batch already, or none was uploaded."""

    status = 409
    code = "nothing-to-launch"


class NothingToDraw(Problem):
    """The project has no labels, so nobody could draw anything: give it some, then launch."""

    status = 409
    code = "nothing-to-draw"


class WrongState(Problem):
    """This cannot be done in the state that it is in."""

    status = 409
    code = "wrong-state"


class BudgetIsSpent(Problem):
    """The project's budget does not cover this."""

    status = 409
    code = "budget-is-spent"


class BudgetIsHeld(Problem):
    """A budget is not made less than what the seats hold already."""

    status = 409
    code = "budget-is-held"


class NothingToPay(Problem):
    """Nobody is owed anything that could be paid out: it is paid, on its way, or less than a coin."""

    status = 409
    code = "nothing-to-pay"


class AlreadyDisputed(Problem):
    """A dispute about this submission is open already."""

    status = 409
    code = "already-disputed"
