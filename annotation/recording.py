"""TrackSets: the only place where rows become arrays and arrays become rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from annotation import planning
from annotation.core.packing import count_intervals as count_packed
from annotation.core.packing import digest, pack, unpack
from annotation.core.tracks import Tracks, to_json
from annotation.ids import new_id
from annotation.lifecycle import Source
from annotation.models import TrackSet, User, Video

#: Payloads that are looked at together: one may be 28 MB.
AT_ONCE = 10


def store(*, tracks: Tracks, video: Video, source: Source, author: User | None = None) -> TrackSet:
    """Write tracks, checked before (see `annotation.core.parsing`), as one row that never changes."""
    row = {
        "id": new_id(),
        "video_id": video.pk,
        "start": tracks.start,
        "stop": tracks.stop,
        "source": str(source),
        "author_id": author.pk if author else None,
        "payload": pack(tracks),
        "sha256": digest(tracks),
        "track_count": len(tracks.tracks),
        "keyframe_count": sum(len(t.frames) for t in tracks.tracks),
    }
    columns, words = ", ".join(f'"{name}"' for name in row), ", ".join(f"%({name})s" for name in row)
    with planning.cursor() as cursor:  # part of every submission, so it is plain SQL
        cursor.execute(f"INSERT INTO annotation_trackset ({columns}) VALUES ({words})", row)  # noqa: S608  names of ours
    return TrackSet.from_db(connection.alias, list(row), list(row.values()))


def load(track_set: TrackSet) -> Tracks:
    """The tracks and intervals of a row, equal to what was stored, bit for bit."""
    return unpack(track_set.payload, track_set.start, track_set.stop)


def count_intervals(track_sets: Iterable[str]) -> dict[str, int]:
    """How many intervals rows hold, by their ids, without reading boxes, and with few of the rows in memory at once."""
    rows = TrackSet.objects.filter(pk__in=list(track_sets)).values_list("pk", "payload")
    return {pk: count_packed(payload) for pk, payload in rows.iterator(chunk_size=AT_ONCE)}


def load_json(track_set: TrackSet) -> dict[str, Any]:
    """The same in the JSON form of the public contract: `{"tracks": […], "intervals": […]}`."""
    return to_json(load(track_set))
