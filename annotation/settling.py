"""A frame map that settles: stretches of it committed by one conditional UPDATE each, and told of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import transaction

from annotation.lifecycle import VideoStatus
from annotation.media.frame_map import FrameMap
from annotation.media.warnings import Warning, warning
from annotation.models import FrameMapRow, Video
from annotation.signals import video_ready


def read_frame_map(video: Video) -> FrameMap:
    """The frame map of a ready video as it stands."""
    return FrameMap.unpack(bytes(FrameMapRow.objects.get(video=video).payload))


class AlreadySettled(Exception):
    """Another pass over the same video was first; this one can stop."""


class Stretches:
    """Commits what a pass reports, from the frontier that it began at onwards."""

    def __init__(self, video: Video) -> None:
        self.video_id, self.frontier, self.frames = video.pk, video.settled_frames, video.frame_count
        self.committed = 0

    def commit(self, frame_map: FrameMap) -> None:
        if (frame_map.settled, len(frame_map)) == (self.frontier, self.frames) or not len(frame_map):
            return
        commit_stretch(self.video_id, self.frontier, frame_map)
        self.frontier, self.frames = frame_map.settled, len(frame_map)
        self.committed += 1


def commit_stretch(video_id: str, frontier: int, frame_map: FrameMap, warnings: Sequence[Warning] = ()) -> None:
    """Write a map that is settled from `frontier` on. AlreadySettled where the row is not at that frontier."""
    with transaction.atomic():
        rows = Video.objects.filter(pk=video_id, status=VideoStatus.READY, settled_frames=frontier)
        changes = {"frame_count": len(frame_map), "frame_map_sha256": frame_map.sha256}
        if not rows.update(settled_frames=frame_map.settled, **changes):
            raise AlreadySettled(video_id)
        FrameMapRow.objects.filter(pk=video_id).update(payload=frame_map.pack())
        _warn(video_id, frame_map, warnings)
        tell(video_id)


def _warn(video_id: str, frame_map: FrameMap, more: Sequence[Warning]) -> None:
    """Keep what the video warns of in step with what its map says by now."""
    video = Video.objects.get(pk=video_id)
    code, lost = "undecodable_frames", len(frame_map.undecodable)
    warnings = [w for w in video.warnings if w["code"] != code]
    warnings += told([warning(code, n=lost)] if lost else [])
    warnings += told(more)
    if warnings != video.warnings:
        Video.objects.filter(pk=video_id).update(warnings=warnings)


def told(warnings: Iterable[Warning]) -> list[dict[str, str]]:
    return [{"code": w.code, "message": w.message} for w in warnings]


def end_there(video_id: str, error: Exception) -> None:
    """The video ends where it cannot be read on; one of which nothing can be read keeps its frames, all undecodable."""
    video = Video.objects.get(pk=video_id)
    frame_map, frontier = read_frame_map(video), video.settled_frames
    if frontier:
        frame_map = frame_map.without(range(frontier, len(frame_map)))
    else:
        frame_map = replace(frame_map, undecodable=tuple(range(len(frame_map))), keyframes=())
    message = f"The video cannot be read from frame {frontier} on and ends there for us: {error}"
    with contextlib.suppress(AlreadySettled):
        settled = replace(frame_map, settled=len(frame_map))
        commit_stretch(video_id, frontier, settled, [Warning("unreadable_from", message)])


def tell(video_id: str) -> None:
    video_ready.send(sender=Video, video=Video.objects.get(pk=video_id))
