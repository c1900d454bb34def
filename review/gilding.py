"""A consensus becomes gold by a reviewer's nod."""

from __future__ import annotations

from annotation import recording
from annotation.models import User
from crowd import seeding
from crowd.models import Gold
from crowd.seating import lock_task
from review.errors import NotGold
from review.lifecycle import ConsensusStatus
from review.models import Consensus

# What a person decided is as sure as it gets; a rule's consensus needs this confidence.
SURE = 0.8


def make_gold(*, consensus: Consensus, by: User) -> Gold:
    """Gold of an accepted consensus. Those whose work it was made of are not scored against it. NotGold."""
    task = lock_task(consensus.task_id)
    consensus.refresh_from_db()
    if consensus.status != ConsensusStatus.ACCEPTED or consensus.track_set is None:
        raise NotGold
    if consensus.decided_by is None and (consensus.confidence or 0.0) < SURE:
        sure = f"{consensus.confidence or 0.0:.2f}"
        raise NotGold(f"A rule accepted this with a confidence of {sure}; {SURE} is asked for.")
    if Gold.objects.filter(from_task=task, retired_at=None).exists():
        raise NotGold("This is gold already.")
    tracks = recording.load(consensus.track_set)
    return seeding.post_gold(project=task.project, video=consensus.video, tracks=tracks, by=by, from_task=task)
