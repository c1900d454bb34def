"""Clusters that show one object for a while."""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Tracks, make_track
from review.core import absorbing
from review.core.absorbing import absorb
from review.core.fitting import FLOOR
from review.core.stacking import Stack, stack

FRAMES = 40


def drawn(*places: float) -> Tracks:
    """One worker's objects, each standing at its place."""
    boxes = [[[x, 0, x + 40, 60]] * FRAMES for x in places]
    return Tracks(0, FRAMES, tuple(make_track(str(k), "car", range(FRAMES), b) for k, b in enumerate(boxes)))


def absorbed(block: Stack, member: np.ndarray) -> np.ndarray:
    return absorb(block, member, block.overlap.iou - FLOOR, FLOOR, np.ones(block.workers))


def test_two_clusters_on_one_object_are_one_for_the_frames_on_which_they_are():
    # The last two came from elsewhere in the middle, and nobody noticed that it is the same object.
    block = stack([drawn(0), drawn(1), drawn(2), drawn(3), drawn(4)], 0, FRAMES)
    member = np.zeros((5, FRAMES), np.int64)
    member[3:] = 1
    member[3:, :15] = np.array([[2], [3]])
    block.overlap.iou[np.isin(block.overlap.right, (3, 4)) & (block.overlap.frame < 15)] = 0.0
    found = absorbed(block, member)
    assert (found[:, 15:] == 0).all()
    assert (found[:3, :15] == 0).all()
    assert (found[3:, :15] == member[3:, :15]).all()


def test_of_a_worker_who_was_in_both_the_better_fitting_track_stays():
    block = stack([drawn(0), drawn(1), drawn(2), drawn(18, 0)], 0, FRAMES)
    far, near = 4, 3  # tracks are sorted by where they begin
    assert block.boxes[far, 0, 0] == 18
    member = np.zeros((5, FRAMES), np.int64)
    member[[2, near]] = 1
    member[far, 12:] = 2
    found = absorbed(block, member)
    assert (found[[0, 1, 2, near]] == found[0, 0]).all()
    assert not (found[far] == found[0, 0]).any()


def test_objects_side_by_side_stay_two():
    block = stack([drawn(0, 25), drawn(1, 26), drawn(2, 27)], 0, FRAMES)
    member = np.tile(np.array([[0], [1]] * 3), (1, FRAMES))
    assert (absorbed(block, member) == member).all()


def test_what_one_worker_drew_twice_is_not_joined_again_and_again(monkeypatch):
    joins = []
    join = absorbing._join
    monkeypatch.setattr(absorbing, "_join", lambda *args: joins.append(1) or join(*args))
    block = stack([drawn(0, 5), drawn(1), drawn(2), drawn(3), drawn(4)], 0, FRAMES)
    member = np.where(block.boxes[:, :, 0] < 5, 0, 1)
    assert (absorbed(block, member) == member).all() and not joins


def test_clusters_that_only_a_second_drawing_keeps_apart_are_one():
    # The first worker drew one object twice; one of the others is nearer to either drawing.
    block = stack([drawn(0, 5), drawn(1), drawn(6)], 0, FRAMES)
    member = np.where(block.boxes[:, :, 0] < 3, 0, 1)
    found = absorbed(block, member)
    alone = block.owners > 0
    assert len(np.unique(found[alone])) == 1
    assert len(np.unique(found)) == 2


def test_after_a_join_only_what_it_changed_is_asked_again(monkeypatch):
    asked = []
    gain = absorbing._gain
    monkeypatch.setattr(absorbing, "_gain", lambda state, pair: asked.append(pair) or gain(state, pair))
    places = np.arange(6) * 100.0
    block = stack([drawn(*(places + w)) for w in range(4)], 0, FRAMES)
    member = 2 * (block.boxes[:, :, 0] // 100).astype(np.int64) + block.owners[:, None] % 2
    found = absorbed(block, member)
    assert [len(np.unique(found[block.boxes[:, 0, 0] // 100 == k])) for k in range(6)] == [1] * 6
    assert len(asked) == len(set(asked)) == 6


def test_after_a_join_only_overlaps_of_what_it_changed_are_looked_at(monkeypatch):
    looked = []
    likenesses = absorbing._State.likenesses
    monkeypatch.setattr(
        absorbing._State, "likenesses", lambda state, at: looked.append(len(state.above[at])) or likenesses(state, at)
    )
    places = np.arange(6) * 100.0
    block = stack([drawn(*(places + w)) for w in range(4)], 0, FRAMES)
    absorbed(block, 2 * (block.boxes[:, :, 0] // 100).astype(np.int64) + block.owners[:, None] % 2)
    assert looked == [36 * FRAMES] + 6 * [6 * FRAMES]


def test_what_is_led_nowhere_is_no_object_that_others_could_be_joined_to():
    # One drawing lies on what three drew, but was led nowhere; the three stay who they are.
    block = stack([drawn(0), drawn(1), drawn(2), drawn(3)], 0, FRAMES)
    member = np.zeros((4, FRAMES), np.int64)
    member[3] = -1
    assert (absorbed(block, member) == member).all()
