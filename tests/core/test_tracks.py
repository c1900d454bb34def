from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.clipping import clip_to
from annotation.core.tracks import Tracks, fill, fill_track, from_json, make_track, to_json

POINTS = st.tuples(*[st.integers(0, 50)] * 2).map(lambda p: [p[0], p[1], p[0] + 10, p[1] + 7])


@st.composite
def tracks(draw):
    frames = sorted(draw(st.sets(st.integers(0, 30), min_size=1, max_size=8)))
    points = [draw(POINTS) for _ in frames]
    flags = st.lists(st.booleans(), min_size=len(frames), max_size=len(frames))
    return make_track("7", "person", frames, points, outside=draw(flags), occluded=draw(flags))


def naive_box(track, frame):
    """The contract's words, one frame at a time."""
    before = [i for i, f in enumerate(track.frames) if f <= frame]
    if not before or track.outside[before[-1]]:
        return None
    i = before[-1]
    if i + 1 == len(track.frames) or track.outside[i + 1]:
        return track.points[i]
    share = (frame - track.frames[i]) / (track.frames[i + 1] - track.frames[i])
    return track.points[i] * (1 - share) + track.points[i + 1] * share


@given(tracks(), st.integers(0, 20), st.integers(0, 15))
def test_filling_follows_the_contract_frame_by_frame(track, start, length):
    boxes, present, occluded = fill_track(track, start, start + length)
    for i, frame in enumerate(range(start, start + length)):
        expected = naive_box(track, frame)
        assert present[i] == (expected is not None)
        if expected is None:
            assert np.isnan(boxes[i]).all() and not occluded[i]
        else:
            assert np.allclose(boxes[i], expected)


@given(tracks())
def test_keyframes_come_back_exactly(track):
    boxes, _, _ = fill_track(track, 0, 31)
    for frame, points, outside in zip(track.frames, track.points, track.outside, strict=True):
        assert outside or (boxes[frame] == points).all()


@given(tracks(), st.integers(0, 25), st.integers(1, 10))
def test_a_cut_out_range_says_the_same_on_its_frames(track, start, length):
    stop = start + length
    whole = fill([track], start, stop)
    cut = clip_to(Tracks(0, 31, (track,)), start, stop)
    assert all(start <= f < stop for t in cut.tracks for f in t.frames)
    if not whole.present.any():
        assert cut.tracks == ()
        return
    again = fill(cut.tracks, start, stop)
    assert (again.present == whole.present).all()
    assert (again.occluded == whole.occluded).all()
    assert np.allclose(again.boxes, whole.boxes, equal_nan=True)


@given(tracks())
def test_json_gives_the_same_track_back(track):
    again = from_json(to_json(Tracks(0, 31, (track,))), 0, 31).tracks[0]
    assert (again.frames == track.frames).all() and (again.points == track.points).all()
    assert (again.outside == track.outside).all() and (again.occluded == track.occluded).all()


def test_no_tracks_fill_to_nothing():
    dense = fill([], 5, 9)
    assert dense.boxes.shape == (0, 4, 4) and dense.stop == 9


@given(
    st.lists(tracks() | st.just(make_track("0", "person", [], [])), max_size=4), st.integers(0, 20), st.integers(0, 25)
)
def test_tracks_filled_together_are_as_filled_alone(some, start, length):
    dense = fill(some, start, start + length)
    assert dense.boxes.shape == (len(some), length, 4)
    for i, track in enumerate(some):
        boxes, present, occluded = fill_track(track, start, start + length)
        assert np.array_equal(dense.boxes[i], boxes, equal_nan=True)
        assert np.array_equal(dense.present[i], present)
        assert np.array_equal(dense.occluded[i], occluded)
