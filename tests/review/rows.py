"""Accepted segments made straight in the database, for what happens after the decisions."""

from __future__ import annotations

from collections.abc import Callable

from annotation import recording
from annotation.core.tracks import Track, Tracks, make_track
from annotation.lifecycle import Source
from annotation.models import Project, TrackSet, Video
from crowd.core.policies import Policy, parse_policy
from crowd.importing import open_done_batch
from crowd.models import Task
from review.importing import accept_all
from review.models import Consensus
from tests import cast

Draw = Callable[[int, int], Tracks]


def walkers(start: int, stop: int, *, shift: float = 0.0, count: int = 3, label: str = "person") -> Tracks:
    """Objects that walk side by side through the whole video; their ids in each segment mean nothing to the next."""
    tracks = [walker(start, stop, row, shift=shift, label=label) for row in range(count)]
    return Tracks(start, stop, tuple(tracks))


def walker(start: int, stop: int, row: int, *, shift: float = 0.0, label: str = "person") -> Track:
    at = [start, stop - 1]
    points = [[100 * row + f / 50 + shift, 5.0, 100 * row + f / 50 + 40 + shift, 60.0] for f in at]
    return make_track(f"{start}-{row}", label, at, points)


def accepted(segments: int, draw: Draw = walkers, *, project: Project | None = None) -> list[Consensus]:
    """A video of this many accepted segments of 30 frames that share 6 with their neighbours."""
    project = project or cast.project()
    video = cast.video(project, 60)
    frames = 24 * segments + 6
    Video.objects.filter(pk=video.pk).update(frame_count=frames, settled_frames=frames, width=1280, height=720)
    video.refresh_from_db()
    policy = parse_policy({"segment_frames": 30, "overlap_frames": 6}, base=Policy())
    batch = open_done_batch(project=project, video=video, policy=policy, by=project.owner)
    tasks = list(Task.objects.filter(batch=batch).select_related("segment").order_by("segment__index"))
    assert len(tasks) == segments
    parts = [draw(t.segment.start, t.segment.stop) for t in tasks]
    accept_all(batch, tasks, parts, [kept(video, part) for part in parts], project.owner)
    return list(Consensus.objects.filter(batch=batch).select_related("segment", "video").order_by("segment__index"))


def kept(video: Video, part: Tracks) -> TrackSet:
    return recording.store(tracks=part, video=video, source=Source.CONSENSUS)


def decide_anew(row: Consensus, part: Tracks) -> None:
    """Another decision on a segment, as a reviewer's would be stored."""
    Consensus.objects.filter(pk=row.pk).update(track_set=kept(row.video, part), version=row.version + 1)
