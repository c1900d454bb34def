"""Models' tracks of a video, shown to workers as a draft.

They come for a whole video, which takes seconds to read where it is long, and every claim needs those of one segment.
So a job cuts them to the segments once; where it has not come to one yet, the whole is read.
"""

from __future__ import annotations

from contextlib import suppress

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from annotation import recording
from annotation.core.clipping import clip_to
from annotation.core.tracks import Tracks
from annotation.lifecycle import JobStatus, Source
from annotation.models import Job, Project, Segment, TrackSet, User, Video
from annotation.queue import want
from crowd.lifecycle import TaskStatus
from crowd.models import PreLabels, PreLabelsPiece, Task
from crowd.seating import UNDECIDED_TASKS

UNREAD = ""
CUT = "cut_pre_labels"


def post_pre_labels(*, project: Project, video: Video, tracks: Tracks, by: User) -> PreLabels:
    """Store a model's tracks of a video; the newest are shown."""
    track_set = recording.store(tracks=tracks, video=video, source=Source.MODEL, author=by)
    made = PreLabels.objects.create(project=project, video=video, track_set=track_set, created_by=by)
    want(CUT, made.pk)
    return made


# The track set to read for a segment: of the newest pre-labels its piece, else the whole.
NEWEST = """(SELECT COALESCE((SELECT c.track_set_id FROM crowd_prelabelspiece c
            WHERE c.pre_labels_id = l.id AND c.segment_id = {segment}), l.track_set_id)
    FROM crowd_prelabels l WHERE l.project_id = {project} AND l.video_id = {video}
    ORDER BY l.created_at DESC, l.id DESC LIMIT 1)"""
OF_ONE = "SELECT " + NEWEST.format(segment="%s", project="%s", video="%s")


def pre_labels_for(task: Task) -> Tracks:
    """The newest pre-labels of the task's video, cut to its segment; a claim reads with the task which they are."""
    segment = task.segment
    newest = getattr(task, "newest_pre_labels", UNREAD)
    if newest == UNREAD:
        with connection.cursor() as cursor:
            cursor.execute(OF_ONE, [segment.pk, task.project_id, segment.video_id])
            (newest,) = cursor.fetchone()
    if newest is None:
        return Tracks(segment.start, segment.stop)
    return clip_to(recording.load(TrackSet.objects.get(pk=newest)), segment.start, segment.stop)


def cut(*, pre_labels_id: str) -> int:
    """Cut pre-labels to the segments that are still to be drawn. Safe to die anywhere and to run twice; how many."""
    row = PreLabels.objects.select_related("track_set", "video", "created_by").filter(pk=pre_labels_id).first()
    if row is None:
        return 0
    segments = list(_whole(row.video_id, row.pk).order_by("start", "pk"))
    if not segments:
        return 0
    whole, made = recording.load(row.track_set), 0
    for segment in segments:
        part = clip_to(whole, segment.start, segment.stop)
        with suppress(IntegrityError), transaction.atomic():  # another was first
            track_set = recording.store(tracks=part, video=row.video, source=Source.MODEL, author=row.created_by)
            PreLabelsPiece.objects.create(pre_labels=row, segment=segment, track_set=track_set)
            made += 1
    return made


def _whole(video: object, pre_labels: object) -> QuerySet[Segment]:
    """Segments of a video for which pre-labels would be read as a whole."""
    cut = PreLabelsPiece.objects.filter(segment=OuterRef("pk"), pre_labels=pre_labels)
    waiting = (*UNDECIDED_TASKS, TaskStatus.TRAINING)
    return Segment.objects.filter(~Exists(cut), video=video, task__status__in=waiting)


def want_cuts(*, video: Video | None = None) -> None:
    """Ask for what is not cut yet, of the newest pre-labels of each video, or of one. What was given up stays whole."""
    newer = PreLabels.objects.filter(video=OuterRef("video"), created_at__gt=OuterRef("created_at"))
    given_up = Job.objects.filter(kind=CUT, subject=OuterRef("pk"), status=JobStatus.QUARANTINED)
    rows = PreLabels.objects.filter(~Exists(newer), ~Exists(given_up))
    rows = rows.filter(Exists(_whole(OuterRef("video"), OuterRef(OuterRef("pk")))))
    for pk in (rows if video is None else rows.filter(video=video)).values_list("pk", flat=True):
        want(CUT, pk)
