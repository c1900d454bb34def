"""The states of consensus, releases and exports, and the moves between them, as data."""

from __future__ import annotations

from django.db.models import Q, TextChoices


class ConsensusStatus(TextChoices):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    # Its inputs changed since it was made: a newer build is on its way.
    STALE = "stale"


CONSENSUS_MOVES: dict[str, tuple[str, ...]] = {
    ConsensusStatus.PENDING: (ConsensusStatus.ACCEPTED, ConsensusStatus.REJECTED, ConsensusStatus.STALE),
    ConsensusStatus.STALE: (ConsensusStatus.PENDING, ConsensusStatus.ACCEPTED, ConsensusStatus.REJECTED),
    ConsensusStatus.REJECTED: (ConsensusStatus.PENDING, ConsensusStatus.STALE),
    ConsensusStatus.ACCEPTED: (),
}
# A reviewer may decide what they see although a newer build is on its way: `version` is for those who mind.
WAITING = (ConsensusStatus.PENDING, ConsensusStatus.STALE)


class Verdict(TextChoices):
    ACCEPT = "accept"
    AMEND = "amend"
    REJECT = "reject"


class Withheld(TextChoices):
    """What keeps one more worker that a task needs from being asked for; after a verdict only who gave it asks."""

    BUDGET = "budget"
    MAX_REDUNDANCY = "max_redundancy"
    VERDICT = "verdict"


class ImportedAs(TextChoices):
    """What an imported file is taken for."""

    GOLD = "gold"
    PRE_LABELS = "pre-labels"
    TRACKS = "tracks"


class WorkStatus(TextChoices):
    """Of a release or an export."""

    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


WORK_MOVES: dict[str, tuple[str, ...]] = {
    WorkStatus.BUILDING: (WorkStatus.READY, WorkStatus.FAILED),
    WorkStatus.FAILED: (WorkStatus.BUILDING,),
    WorkStatus.READY: (),
}

DECIDED = Q(status=ConsensusStatus.ACCEPTED, decided_at__isnull=False)
UNDECIDED = ~Q(status=ConsensusStatus.ACCEPTED)
