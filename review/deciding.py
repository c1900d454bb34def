"""Verdicts on a consensus, by a rule or a reviewer, and what they set in motion."""

from __future__ import annotations

from django.db.models.functions import Now

from annotation import recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import TrackSet, User
from annotation.queue import want
from crowd import admitting, completing, ghosting, paying
from crowd.errors import OwnWork
from crowd.lifecycle import ENDED_SEATS
from crowd.models import Assignment, Task
from crowd.seating import lock_task
from review.core.difficulty import HARD
from review.errors import AlreadyDecided, NoSeatsLeft
from review.grading import scores_with
from review.lifecycle import WAITING, ConsensusStatus, Verdict
from review.models import Build, Consensus, Decision

# Agreement is measured over many tasks at once, not anew for each.
MEASURE_AFTER_S = 20.0
STITCH_S_PER_SEGMENT = 0.05


def stitch_after_s(video_id: str) -> float:
    """A stitch reads all accepted segments of a video: the more there are, the more decisions wait for one stitch."""
    accepted = Consensus.objects.filter(video_id=video_id, status=ConsensusStatus.ACCEPTED).count()
    return min(60.0, STITCH_S_PER_SEGMENT * accepted)


def accept_by_rule(*, consensus: Consensus, task: Task) -> None:
    """Accept what the submissions agree on. The task is locked by the caller."""
    _accept(consensus, task, track_set=consensus.track_set, verdict=Verdict.ACCEPT, by=None)


def accept(*, consensus: Consensus, by: User, version: int | None = None) -> None:
    """Accept a consensus as it stands. AlreadyDecided where somebody was first or `version` is no longer current."""
    task = _at_hand(consensus, by, version)
    _accept(consensus, task, track_set=consensus.track_set, verdict=Verdict.ACCEPT, by=by)


def amend(*, consensus: Consensus, tracks: Tracks, by: User, version: int | None = None) -> None:
    """Accept a reviewer's own tracks in place of the consensus."""
    task = _at_hand(consensus, by, version)
    track_set = recording.store(tracks=tracks, video=consensus.video, source=Source.REVIEWER, author=by)
    _accept(consensus, task, track_set=track_set, verdict=Verdict.AMEND, by=by)


def reject(*, consensus: Consensus, by: User, reason: str, seats: int = 1, version: int | None = None) -> int:
    """Send a segment back for more workers; the old submissions stay inputs. Returns how many seats were opened."""
    task = _at_hand(consensus, by, version)
    _decide(consensus, to=ConsensusStatus.REJECTED)
    _write(consensus, Verdict.REJECT, by=by, reason=reason)
    opened = completing.reopen(task=task, seats=seats, hard=(consensus.difficulty or 0.0) >= HARD)
    if not opened:
        raise NoSeatsLeft
    want("reconcile", task.pk)  # its neighbours hear it no more until it is judged again
    return opened


def stop_asking(*, task_id: str) -> None:
    """Where nobody is left who could be asked, a reviewer decides by what there is, also by what was rejected."""
    if completing.stop_asking(task_id=task_id):
        rejected = Consensus.objects.filter(task=task_id, status=ConsensusStatus.REJECTED)
        rejected.update(status=ConsensusStatus.PENDING)
        # What came, or was taken back, while somebody was still waited for was judged by nobody.
        built = Consensus.objects.filter(task=task_id, version__gt=0).exists()
        want("reconcile" if built else "renew_consensus", task_id)


def _at_hand(consensus: Consensus, by: User, version: int | None) -> Task:
    """The task, locked, for somebody to decide. OwnWork for who worked at it, under whichever account."""
    task = lock_task(consensus.task_id)
    accounts = [by.pk, *admitting.other_accounts(worker=by, project=task.project_id)]
    if Assignment.objects.filter(task=task, worker__in=accounts).exclude(status__in=ENDED_SEATS).exists():
        raise OwnWork
    consensus.refresh_from_db()
    if version is not None and version != consensus.version:
        raise AlreadyDecided(f"The current version is {consensus.version}, not {version}.")
    return task


def _decide(consensus: Consensus, *, to: str, **values: object) -> None:
    waiting = Consensus.objects.filter(pk=consensus.pk, status__in=WAITING, version=consensus.version)
    if not waiting.update(status=to, **values):
        raise AlreadyDecided
    consensus.status = to


def _accept(consensus: Consensus, task: Task, *, track_set: TrackSet | None, verdict: Verdict, by: User | None) -> None:
    if track_set is None:
        raise AlreadyDecided("There is nothing to accept yet.")
    _decide(consensus, to=ConsensusStatus.ACCEPTED, track_set=track_set, decided_by=by, decided_at=Now())
    _write(consensus, verdict, by=by, track_set=track_set)
    paying.settle(task=task, scores=_scores(consensus, task, track_set, verdict))
    ghosting.keep_outcome(task=task, track_set=track_set)
    finished = completing.finish(task=task)
    if by is not None or not finished:
        # Its neighbours heard something else. And where its batch was cancelled, what was submitted since then is in no
        # build, and is paid by the same rule. (A rule decides within that job.)
        want("reconcile", task.pk)
    want("stitch_video", consensus.video_id, delay_s=stitch_after_s(consensus.video_id))
    want("measure_agreement", task.project_id, delay_s=MEASURE_AFTER_S)


def _scores(consensus: Consensus, task: Task, track_set: TrackSet, verdict: Verdict) -> dict[str, float]:
    """How like each submission is to what was accepted (soft F), by assignment id: also of one that came after the
    build, for nobody else settles it."""
    build = Build.objects.get(consensus=consensus, version=consensus.version)
    known = {} if verdict == Verdict.AMEND else dict(build.scores)
    others = [seat for seat in completing.submissions_of(task) if seat.pk not in known]
    return known | scores_with(task=task, seats=others, tracks=recording.load(track_set)) if others else known


def _write(
    consensus: Consensus, verdict: Verdict, *, by: User | None, reason: str = "", track_set: TrackSet | None = None
) -> None:
    Decision.objects.create(
        consensus=consensus,
        version=consensus.version,
        verdict=verdict,
        by=by,
        reason=reason,
        track_set=track_set,
    )
