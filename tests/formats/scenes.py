"""Content to write, and where the shared data lie."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import strategies as st

from annotation.core.ontology import Ontology, parse_labels
from annotation.core.tracks import Interval, Tracks, fill, make_track
from annotation.formats.content import Content, Video, VideoTracks, rows_of

SHARED = Path(os.environ.get("TRACKWEAVE_SHARED", Path(__file__).parents[2] / "../shared")) / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared test data are not beside the project")

LABELS = parse_labels(
    [
        {
            "name": "person",
            "attributes": [
                {"name": "sex", "kind": "select", "values": ["f", "m"]},
                {"name": "note", "kind": "text"},
                {"name": "pose", "kind": "text", "mutable": True},
                {"name": "seen", "kind": "boolean", "mutable": True},
            ],
        },
        {"name": "car", "color": "#2080c0", "attributes": [{"name": "doors", "kind": "number"}]},
    ]
)
VIDEO = Video("walk.mp4", 40, 640, 480, 29.97)


def scene() -> Tracks:
    """Two objects, one of which leaves and comes back, hidden for a while."""
    one = make_track(
        "3",
        "person",
        [2, 6, 9, 20, 25],
        [[10, 20, 50.5, 100], [30.25, 20, 70, 100.125], [0, 0, 1, 1], [100, 20, 150, 90], [100, 20, 150, 90]],
        outside=[False, False, True, False, False],
        occluded=[False, True, False, False, False],
        attributes={"sex": "f", "note": '=1+1 <"&>'},
        changes={2: {"pose": "walking"}, 20: {"pose": "sitting", "seen": True}},
        confidence=0.875,
    )
    two = make_track("11", "car", [0], [[-20.5, 300, 120, 400]], attributes={"doors": 4})
    return Tracks(0, 40, (one, two), (Interval("car", 3, 9, "11", {}), Interval("person", 0, 40)))


def content(tracks: Tracks, video: Video = VIDEO, ontology: Ontology = LABELS, part_frames: int = 7) -> Content:
    parts = VideoTracks(
        video, lambda at: rows_of(tracks, ontology.drawn.names, at, part_frames=part_frames), tracks.intervals
    )
    return Content(ontology, (parts,), {"project": "p", "release": 1})


def written(write: Callable[[BinaryIO, Content], None], what: Content) -> bytes:
    out = io.BytesIO()
    write(out, what)
    return out.getvalue()


def assert_same(a: Tracks, b: Tracks, *, atol: float = 0.0, occluded: bool = True) -> None:
    """Equal on every frame, whatever the keyframes."""
    start, stop = min(a.start, b.start), max(a.stop, b.stop)
    seen = [t for t in a.tracks if fill([t], start, stop).present.any()]
    left, right = fill(sorted(seen, key=_key), start, stop), fill(sorted(b.tracks, key=_key), start, stop)
    assert left.ids == right.ids
    assert left.labels == right.labels
    np.testing.assert_array_equal(left.present, right.present)
    np.testing.assert_allclose(left.boxes, right.boxes, rtol=0, atol=atol)
    if occluded:
        np.testing.assert_array_equal(left.occluded, right.occluded)


def _key(track) -> str:
    return track.id


@st.composite
def scenes(draw, places: int | None = 3) -> Tracks:
    """Tracks of a short video; coordinates of `places` decimals, or any."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    tracks = []
    for number in draw(st.sets(st.integers(1, 50), max_size=4)):
        frames = sorted(draw(st.sets(st.integers(0, VIDEO.frame_count - 1), min_size=1, max_size=6)))
        low = rng.uniform(-20, 300, (len(frames), 2))
        points = np.concatenate([low, low + rng.uniform(25, 300, (len(frames), 2))], axis=1)
        outside = rng.random(len(frames)) < 0.3
        outside[0] = False
        tracks.append(
            make_track(
                str(number),
                draw(st.sampled_from(LABELS.names)),
                frames,
                points if places is None else points.round(places),
                outside=outside,
                occluded=(rng.random(len(frames)) < 0.3) & ~outside,
            )
        )
    return Tracks(0, VIDEO.frame_count, tuple(tracks))
