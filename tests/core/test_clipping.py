"""A piece of a source says on every frame what the whole says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.clipping import clip_to, on_steps, states_at
from annotation.core.tracks import Interval, Tracks, fill, from_json, make_track, to_json

STOP = 30


def states_frame_by_frame(changes, frames):
    """The naive answer to `states_at`: everything said until then, in order."""
    out = []
    for frame in frames:
        state = {}
        for at in sorted(changes):
            if at <= frame:
                state.update(changes[at])
        out.append(state)
    return out


@st.composite
def tracks(draw):
    frames = sorted(draw(st.sets(st.integers(0, STOP - 1), min_size=1, max_size=8)))
    outside = [False, *(draw(st.booleans()) for _ in frames[1:])]
    boxes = [
        [np.nan] * 4 if away else [f, 2.0 * f, f + 20, 2.0 * f + 30] for f, away in zip(frames, outside, strict=True)
    ]
    told = draw(st.sets(st.sampled_from(frames), max_size=4))
    changes = {f: {draw(st.sampled_from(["pose", "mood"])): draw(st.integers(0, 3))} for f in sorted(told)}
    return make_track("a", "person", frames, boxes, outside=outside, changes=changes)


@settings(max_examples=200, deadline=None)
@given(tracks(), st.integers(0, STOP - 1), st.integers(1, STOP))
def test_a_piece_says_on_every_frame_what_the_whole_says(track, start, length):
    stop = min(STOP, start + length)
    cut = clip_to(Tracks(0, STOP, (track,)), start, stop)
    whole, piece = fill((track,), start, stop), fill(cut.tracks, start, stop)
    assert bool(len(piece.ids)) == whole.present.any()
    if not cut.tracks:
        return
    assert np.array_equal(whole.present, piece.present)
    assert np.allclose(whole.boxes, piece.boxes, equal_nan=True)
    seen = (np.flatnonzero(whole.present[0]) + start).tolist()
    assert states_at(cut.tracks[0].changes, seen) == states_frame_by_frame(track.changes, seen)
    assert from_json(to_json(cut), start, stop) is not None  # no frame has two keyframes


@settings(max_examples=200, deadline=None)
@given(tracks(), st.integers(0, 9), st.integers(1, 7))
def test_on_every_so_many_frames_it_says_what_it_said_and_has_keyframes_on_no_other(track, start, step):
    whole = clip_to(Tracks(0, STOP, (track,)), start, STOP)
    thin = on_steps(whole, step)
    shown = [f for f in range(start, STOP) if f % step == 0]
    at = np.array(shown, int) - start
    before, after = fill(whole.tracks, start, STOP), fill(thin.tracks, start, STOP)
    assert bool(thin.tracks) == bool(before.present[:, at].any())
    if not thin.tracks:
        return
    assert not (thin.tracks[0].frames % step).any()
    assert np.array_equal(before.present[:, at], after.present[:, at])
    assert np.allclose(before.boxes[:, at], after.boxes[:, at], equal_nan=True)
    seen = [f for f, there in zip(shown, before.present[0, at], strict=True) if there]
    assert states_at(thin.tracks[0].changes, seen) == states_at(whole.tracks[0].changes, seen)
    assert from_json(to_json(thin), start, STOP) is not None


def test_an_attribute_lasts_into_a_piece_that_begins_on_a_keyframe():
    boxes = [[0, 0, 10, 10]] * 3
    track = make_track("a", "person", [0, 10, 20], boxes, changes={0: {"pose": "sits"}})
    for start in (9, 10, 11):
        assert clip_to(Tracks(0, 30, (track,)), start, 30).tracks[0].changes == {start: {"pose": "sits"}}


def test_what_happens_to_a_track_that_is_elsewhere_is_not_an_event_of_the_scene():
    gone = make_track("a", "person", [0, 5], [[0, 0, 9, 9], [np.nan] * 4], outside=[False, True])
    events = (Interval("fights", 0, 20, "a"), Interval("rain", 3, 20))
    cut = clip_to(Tracks(0, 30, (gone,), events), 10, 30)
    assert cut.intervals == (Interval("rain", 10, 20),)


@pytest.mark.parametrize("frames", [[], [0], [0, 1, 2, 29]])
def test_states_are_those_said_until_then(frames):
    changes = {1: {"pose": "sits"}, 2: {"mood": "good", "pose": "walks"}, 20: {"pose": "sits"}}
    assert states_at(changes, frames) == states_frame_by_frame(changes, frames)
