"""Files of tracks taken as gold, as pre-labels, or as finished tracks that are released like the crowd's own."""

from __future__ import annotations

from statistics import fmean

from django.db.models.functions import Now

from annotation import recording
from annotation.core.clipping import clip_to
from annotation.core.tracks import Tracks
from annotation.formats.content import numbers_of
from annotation.importing import Upload
from annotation.ingesting import want_verify
from annotation.lifecycle import Source
from annotation.models import Project, TrackSet, User
from annotation.queue import want
from crowd import importing, prelabelling, seeding
from crowd.models import Batch, Task
from crowd.presenting import current_policy
from review import stitching
from review.errors import NotSettled, NotTracks
from review.lifecycle import ConsensusStatus, ImportedAs, Verdict
from review.models import Build, Consensus, Decision, Import

METHOD = "import"


def import_file(*, project: Project, upload: Upload, kind: str, start: int, stop: int, by: User) -> Import:
    """What a file says of a video becomes gold (of the frames `[start, stop)`), pre-labels or finished tracks."""
    made: dict[str, object] = {}
    if kind == ImportedAs.GOLD:
        tracks = upload.gold(start, stop)
        made["gold"] = seeding.post_gold(project=project, video=upload.video, tracks=tracks, by=by)
    elif kind == ImportedAs.PRE_LABELS:
        made["pre_labels"] = prelabelling.post_pre_labels(
            project=project, video=upload.video, tracks=upload.tracks, by=by
        )
    else:
        made["batch"] = import_tracks(project=project, upload=upload, by=by)
    return Import.objects.create(
        project=project,
        video=upload.video,
        kind=kind,
        format=upload.format,
        name=upload.name,
        sha256=upload.sha256,
        tracks=len(upload.tracks.tracks),
        keyframes=sum(len(t.frames) for t in upload.tracks.tracks),
        created_by=by,
        **made,
    )


def import_tracks(*, project: Project, upload: Upload, by: User) -> Batch:
    """Finished tracks of a video that is in no live batch: a batch that is done at once.

    Its segments are cut by the project's policy and accepted by whoever imports, so that they are released, exported
    and traced as others are. Identities are the file's. VideoInUse, NotSettled.
    """
    video = upload.video
    if video.settled_frames < (video.frame_count or 0):
        want_verify(video)
        raise NotSettled
    batch = importing.open_done_batch(project=project, video=video, policy=current_policy(project), by=by)
    tasks = list(Task.objects.filter(batch=batch).select_related("segment").order_by("segment__index"))
    # An interval may go on where its track is away for a whole segment; both come out as they came in.
    parts = [clip_to(upload.tracks, t.segment.start, t.segment.stop, absent=True) for t in tasks]
    sets = [recording.store(tracks=part, video=video, source=Source.IMPORT, author=by) for part in parts]
    accept_all(batch, tasks, parts, sets, by)
    ids = [t.id for t in upload.tracks.tracks]
    inputs = [[task.segment_id, row.pk] for task, row in zip(tasks, sets, strict=True)]
    stitching.adopt(video=video, inputs=inputs, parts=parts, numbers=dict(zip(ids, numbers_of(ids), strict=True)))
    return batch


def undo(*, row: Import) -> None:
    """Take finished tracks back. What was released of them stays released; the file may be imported anew.

    NotTracks for gold and pre-labels, which were given to people already; WrongState where it was undone before.
    """
    if row.batch is None:
        raise NotTracks
    importing.withdraw_done_batch(batch=row.batch)
    want("stitch_video", row.video_id)


def accept_all(
    batch: Batch, tasks: list[Task], parts: list[Tracks], sets: list[TrackSet], by: User | None, *, method: str = METHOD
) -> None:
    """A consensus for each segment, decided by `by`. Nobody agreed with anybody, so there is no agreement to count."""
    rows = [
        Consensus(
            task=task,
            batch=batch,
            video_id=task.segment.video_id,
            segment=task.segment,
            status=ConsensusStatus.ACCEPTED,
            version=1,
            confidence=_confidence(part),
            track_set=track_set,
            decided_by=by,
            decided_at=Now(),
        )
        for task, part, track_set in zip(tasks, parts, sets, strict=True)
    ]
    Consensus.objects.bulk_create(rows)
    Build.objects.bulk_create(
        Build(
            consensus=row,
            version=1,
            track_set=row.track_set,
            method=method,
            inputs=[],
            scores={},
            agreement=1.0,
            confidence=row.confidence,
        )
        for row in rows
    )
    Decision.objects.bulk_create(
        Decision(consensus=row, version=1, verdict=Verdict.ACCEPT, by=by, track_set=row.track_set) for row in rows
    )


def _confidence(part: Tracks) -> float:
    """The mean of what the file says of its tracks; what it does not doubt is sure."""
    return fmean([1.0 if t.confidence is None else t.confidence for t in part.tracks] or [1.0])
