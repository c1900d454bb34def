"""The keyframes that workers placed, as `inbetweening` takes them."""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Tracks, fill, make_track
from review.core.fusing import fuse
from review.core.keying import VOICES, find_keys
from tests.core.test_inbetweening import FRAMES, SIDE, STEP, alone, drawing, keyframes, miss, walker


def test_a_file_with_a_box_on_every_frame_says_what_its_keyframes_say():
    path, rng = walker(), np.random.default_rng(6)
    drawn = [drawing(path, at, rng.normal(0, 1, (len(at), 4))) for at in map(keyframes, (0, 3, 7))]
    every = []
    for tracks in drawn:
        boxes = fill(tracks.tracks, 0, FRAMES).boxes[0].round(2)
        every.append(Tracks(0, FRAMES, (make_track("1", "person", np.arange(FRAMES), boxes),)))
    _, _, _, sparse = alone(drawn)
    _, _, fused, dense = alone(every)
    assert np.abs(dense - sparse).max() < 0.05
    assert np.abs(dense - fused).max() > 1


def test_of_whole_pixels_nobody_can_tell_what_a_tool_filled():
    rng = np.random.default_rng(11)
    start = np.array([100.0, 200, 160, 300])
    slow = [start + np.cumsum(rng.random((FRAMES, 4)) < 0.05, axis=0) for _ in range(3)]
    _, _, fused, moved = alone([drawing(path, np.arange(FRAMES)) for path in slow])
    assert moved is fused


def test_of_many_workers_eight_are_asked():
    path, rng = walker(), np.random.default_rng(8)
    drawn = [drawing(path, keyframes(i % STEP), rng.normal(0, 0.03, 4) * SIDE) for i in range(12)]
    block, member, fused, moved = alone(drawn)
    votes = fuse(block.boxes[None], np.full(12, 0.05))[1]
    assert len(np.unique(find_keys(block, member, votes).worker)) == VOICES == 8
    assert miss(moved[0], path) < 0.8 * miss(fused[0], path)


def test_where_most_boxes_are_keyframes_lines_matter_little():
    path, rng = walker(), np.random.default_rng(14)
    every = [drawing(path, np.arange(FRAMES), rng.normal(0, 1, (FRAMES, 4))) for _ in range(3)]
    _, _, fused, moved = alone([*every, drawing(path, keyframes(3))])
    assert moved is fused
