"""Clusters that show one object for a while."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Tracks, make_track
from review.core import absorbing
from review.core.absorbing import AGAINST, ALIKE, APART, NEVER, absorb
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


def naive_gain(block: Stack, member: np.ndarray, pair: tuple[int, int], weights: np.ndarray) -> list[float]:
    """By frame, how much better two clusters are one there than two, box by box."""
    columns = (getattr(block.overlap, name).tolist() for name in ("left", "right", "frame", "iou"))
    alike = {(a, b, f): iou for a, b, f, iou in zip(*columns, strict=True)}
    who = [[np.flatnonzero(here == k).tolist() for k in pair] for here in member.T]
    return [gain_on(block, alike, f, *both, weights) for f, both in enumerate(who)]


def gain_on(block: Stack, alike: dict, f: int, one: list[int], other: list[int], weights: np.ndarray) -> float:
    """The same on one frame, of two clusters by the tracks that are in them there."""
    if not one or not other:
        return 0.0
    (first, second), of = ({int(block.owners[t]): t for t in some} for some in (one, other)), block.owners
    both = {*first} & {*second}
    heard, most = (
        [sum(weights[w] for w in some) for some in (first, second)],
        sum(weights[w] for w in {*first, *second}),
    )
    clash = sum(weights[w] for w in both)
    if clash > most * (1 - 1e-9):  # everybody says that they are two
        return -NEVER
    fits = sum(alike.get((min(a, b), max(a, b), f), 0.0) * weights[of[a]] * weights[of[b]] for a in one for b in other)
    far = {w: 1 - float(iou_aligned(block.boxes[first[w], f], block.boxes[second[w], f])) for w in both}
    against = sum(weights[w] * min(1.0, x / APART) for w, x in far.items()) / most
    gain = fits / (heard[0] * heard[1]) - FLOOR - AGAINST * against
    return min(gain, 0.0) if clash >= min(heard) - 1e-9 else gain  # nobody would come to the one


def naive(block: Stack, member: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of all pairs of clusters the one that gains most is joined, and everything is asked anew."""
    above = block.overlap.iou - FLOOR
    for _ in range(len(block.tracks)):
        best, least = (0.0, (0, 0), slice(0)), ALIKE * block.time_scale
        for pair in combinations(range(int(member.max(initial=-1)) + 1), 2):
            sides = zip(*block.sides(member), above.tolist(), strict=True)
            good = sum(x for a, b, x in sides if x > 0 and {a, b} == {*pair})
            gain = naive_gain(block, member, pair, weights) if good >= least else []
            stretches = [(sum(gain[a:b]), slice(a, b)) for b in range(len(gain) + 1) for a in reversed(range(b))]
            worth, frames = max(stretches, key=lambda found: found[0], default=(0.0, slice(0)))
            best = max(best, (worth, pair, frames), key=lambda found: found[0])
        if best[0] < least:
            break
        state = absorbing._State(block, member, above, FLOOR, weights)
        absorbing._join(state, *best[1:])
        member = state.found.member
    return member


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
@example(5)
@example(31)
def test_clusters_are_joined_as_where_every_pair_is_asked_anew_each_time(seed: int):
    rng = np.random.default_rng(seed)
    workers, n, crowd = rng.integers(3, 7), int(rng.integers(10, 40)), []
    for _ in range(workers):
        corner = rng.permutation([0.0, 14.0, 100.0])[: rng.choice([1, 1, 2, 3]), None, None] + rng.normal(
            0, 1.5, (1, n, 2)
        )
        outside = rng.random((len(corner), n)) < rng.choice([0.0, 0.3])
        boxes = np.concatenate([corner, corner + (40, 60)], axis=2)
        drawn = zip("abc", boxes, outside, strict=False)
        crowd.append(Tracks(0, n, tuple(make_track(k, "car", range(n), b, outside=o) for k, b, o in drawn)))
    block, weights = stack(crowd, 0, n), rng.uniform(0.2, 2, workers)
    member = np.full(block.present.shape, -1)
    for worker in range(workers):
        rows = np.flatnonzero(block.owners == worker)
        for piece in np.split(np.arange(n), [rng.integers(n)]):  # who changes clusters may have been exchanged
            member[rows[:, None], piece] = rng.permutation(4)[: len(rows), None]
    member[~block.present] = -1
    found = absorb(block, member, block.overlap.iou - FLOOR, FLOOR, weights)
    assert np.array_equal(found, naive(block, member, weights))
    assert np.array_equal(found >= 0, member >= 0)
