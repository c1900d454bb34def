"""TrackSets: the only place where rows become arrays and arrays become rows."""

from __future__ import annotations

from typing import Any

from annotation.core.packing import digest, pack, unpack
from annotation.core.tracks import Tracks, to_json
from annotation.lifecycle import Source
from annotation.models import TrackSet, User, Video


def store(*, tracks: Tracks, video: Video, source: Source, author: User | None = None) -> TrackSet:
    """Write tracks, checked before (see `annotation.core.parsing`), as one row that never changes."""
    return TrackSet.objects.create(
        video=video,
        start=tracks.start,
        stop=tracks.stop,
        source=source,
        author=author,
        payload=pack(tracks),
        sha256=digest(tracks),
        track_count=len(tracks.tracks),
        keyframe_count=sum(len(t.frames) for t in tracks.tracks),
    )


def load(track_set: TrackSet) -> Tracks:
    """The tracks and intervals of a row, equal to what was stored, bit for bit."""
    return unpack(track_set.payload, track_set.start, track_set.stop)


def load_json(track_set: TrackSet) -> dict[str, Any]:
    """The same in the JSON form of the public contract: `{"tracks": […], "intervals": […]}`."""
    return to_json(load(track_set))
