from __future__ import annotations

import pytest
from django.db import IntegrityError

from annotation import recording
from annotation.core.packing import digest
from annotation.core.tracks import Interval, Tracks, make_track, to_json
from annotation.lifecycle import Source
from annotation.models import TrackSet
from tests import cast

pytestmark = pytest.mark.django_db

DRAWN = Tracks(
    10,
    20,
    (
        make_track("1", "person", [10, 15], [[1, 2, 3, 4], [1.5, 2, 3.25, 4]], attributes={"sex": "f"}),
        make_track("2", "car", [12], [[0.1, 0.2, 30.3, 40.4]], changes={12: {"pose": "walking"}}),
    ),
    (Interval("crossing", 12, 15, "1"),),
)


def test_what_is_stored_is_loaded() -> None:
    video, walt = cast.video(cast.project()), cast.user("Walt")
    row = recording.store(tracks=DRAWN, video=video, source=Source.WORKER, author=walt)
    row = TrackSet.objects.get(pk=row.pk)
    assert (row.start, row.stop, row.source, row.author, row.video) == (10, 20, "worker", walt, video)
    assert (row.track_count, row.keyframe_count) == (2, 3)
    loaded = recording.load(row)
    assert digest(loaded) == row.sha256 == digest(DRAWN)
    assert recording.load_json(row) == to_json(DRAWN)


def test_nothing_drawn_is_a_row_too() -> None:
    row = recording.store(tracks=Tracks(0, 5), video=cast.video(cast.project()), source=Source.GOLD)
    assert recording.load_json(TrackSet.objects.get(pk=row.pk)) == {"tracks": [], "intervals": []}


@pytest.mark.parametrize(("tracks", "source"), [(Tracks(5, 5), Source.GOLD), (Tracks(0, 5), "nobody")])
def test_the_database_refuses_nonsense(tracks: Tracks, source: str) -> None:
    with pytest.raises(IntegrityError):
        recording.store(tracks=tracks, video=cast.video(cast.project()), source=source)
