"""Badly drawn boxes, grids and starts that workers see differently: what a consensus makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from annotation.core.overlaps import overlaps
from annotation.core.tracks import Dense, Track, Tracks, fill, make_track
from review.core.clustering import cluster
from review.core.consensus import Submission, make_consensus
from review.core.fusing import fuse, vote_presence
from review.core.gridding import find_grid
from review.core.stacking import stack

STOP = 30


def submit(name: str, *boxes, frames=range(STOP)) -> Submission:
    tracks = tuple(make_track(str(i), "car", list(frames), [box] * len(frames)) for i, box in enumerate(boxes))
    return Submission(name, name, Tracks(0, STOP, tracks))


def test_a_box_drawn_much_too_large_over_an_object_is_a_voice_for_it():
    close, large = [100, 100, 140, 160], [80, 90, 165, 175]
    crowd = [submit("a", close), submit("b", close), submit("c", large)]
    (track,) = make_consensus(crowd, 0, STOP).tracks.tracks
    assert track.support == ("a", "b", "c")


def test_neighbours_that_hardly_touch_stay_two_objects_nobody_confirms():
    crowd = [submit("a", [100, 100, 140, 160]), submit("b"), submit("c", [135, 100, 175, 160])]
    assert make_consensus(crowd, 0, STOP).tracks.tracks == ()


def test_who_drew_both_objects_is_not_joined_to_either():
    near, far = [100, 100, 140, 160], [115, 110, 155, 170]
    crowd = [submit("a", near, far), submit("b", near), submit("c", near)]
    (track,) = make_consensus(crowd, 0, STOP).tracks.tracks
    assert track.support == ("a", "b", "c")
    assert fill([track], 0, STOP).boxes[0, 5].tolist() == near


@pytest.mark.parametrize(("both", "objects"), [(False, 1), (True, 0)])
def test_what_some_drew_large_and_others_small_is_one_object_unless_somebody_drew_both(both, objects):
    small, large = [100, 100, 130, 140], [90, 90, 160, 160]
    drawn = {
        "a": [small],
        "b": [small, large] if both else [small],
        "c": [large],
        "d": [large],
        "e": [],
        "f": [],
        "g": [],
    }
    made = make_consensus([submit(name, *boxes) for name, boxes in drawn.items()], 0, STOP)
    assert [len(t.support) for t in made.tracks.tracks] == [4] * objects


@pytest.mark.parametrize(("strayed", "joined"), [(6, 24), (12, 0)])
def test_a_large_box_is_a_voice_although_another_drawing_of_its_author_ends_upon_the_object(strayed, joined):
    close, large, far = [100, 100, 140, 160], [80, 90, 165, 175], [300, 100, 340, 160]
    path = [far] * (STOP - strayed) + [close] * strayed
    stray = make_track("1", "car", list(range(STOP)), path)
    crowd = [submit(name, close, far).tracks for name in "ab"]
    block = stack([*crowd, Tracks(0, STOP, (_track(large, range(STOP)), stray))], 0, STOP)
    member = cluster(block, np.ones(3))
    first = {owner: row for row, owner in reversed(list(enumerate(block.owners.tolist())))}
    assert block.boxes[first[2], 0].tolist() == large
    assert int((member[first[2]] == member[first[0]]).sum()) == joined


def test_the_most_exact_worker_does_not_outweigh_two_who_agree():
    boxes = np.array([[100.0, 100, 160, 220], [101, 100, 161, 221], [100, 101, 220, 219]])[None, :, None].repeat(
        9, axis=2
    )
    boxes += np.random.default_rng(3).normal(0, 0.3, boxes.shape)
    fused, _ = fuse(boxes, np.array([0.08, 0.09, 0.05]))
    assert np.abs(fused[..., 2] - 160.5).max() < 2


def test_whole_pixels_stay_whole_and_other_numbers_do_not():
    rng = np.random.default_rng(4)
    truth = np.array([50.0, 60, 90, 130]) + rng.integers(0, 40, (1, 1, 40, 1))
    drawn = truth + rng.integers(-2, 3, (1, 3, 40, 4))
    fused, _ = fuse(drawn, np.full(3, 0.05))
    assert np.array_equal(fused, np.round(fused))
    assert find_grid(drawn).step.tolist() == [1, 1, 1, 1]
    assert find_grid(drawn * 1.5 + 0.25).step == pytest.approx(1.5)
    assert np.allclose(fuse(drawn * 1.5 + 0.25, np.full(3, 0.05))[0], fused * 1.5 + 0.25)
    assert find_grid(drawn + rng.normal(0, 0.1, drawn.shape)) is None


def test_a_few_numbers_are_no_grid():
    assert find_grid(np.array([[[[0.0, 0, 10, 10]], [[3.0, 3, 13, 13]]]])) is None


@pytest.mark.parametrize(("starts", "first"), [((5, 5, 6), 5), ((5, 5, 7), 5), ((5, 7, 7), 7), ((5, 8, 8), 7)])
def test_a_start_far_from_the_others_has_some_say(starts, first):
    drawn = np.array([[np.arange(40) >= s for s in starts]])
    assert int(vote_presence(drawn, np.ones((1, 3)))[0].argmax()) == first


def test_an_object_stays_where_drawings_of_it_run_on_upon_another():
    here, there = [100, 100, 140, 160], [300, 100, 340, 160]
    both = [submit(name, here, there) for name in ("a", "b")]
    gone = Submission("c", "c", Tracks(0, STOP, (_track(here, range(15)), _track(there, range(STOP)))))
    path = [here] * 15 + [there] * 15
    strayed = [Submission(n, n, Tracks(0, STOP, (make_track("1", "car", list(range(STOP)), path),))) for n in "de"]
    ended = [Submission(n, n, Tracks(0, STOP, (_track(here, range(15)),))) for n in "de"]

    def presence(crowd: list[Submission]) -> int:
        tracks = make_consensus(crowd, 0, STOP).tracks.tracks
        (row,) = (i for i, t in enumerate(tracks) if t.points[0].tolist() == here)
        return int(fill(tracks, 0, STOP).present[row].sum())

    assert presence([*both, gone, *strayed]) == STOP
    assert presence([*both, gone, *ended]) < 20


def _track(box: list[int], frames: range) -> Track:
    at = [*frames, frames.stop] if frames.stop < STOP else list(frames)
    return make_track(str(box), "car", at, [box] * len(at), outside=[f == frames.stop for f in at])


@pytest.mark.parametrize(
    ("there", "away", "gone", "seen"),
    [(1, 0, 1, True), (1, 2, 0, True), (1, 1, 1, False), (2, 2, 1, True), (2, 1, 2, False)],
)
def test_whose_drawing_lies_elsewhere_has_half_a_voice_against_presence(there, away, gone, seen):
    says = np.array([True] * there + [False] * (away + gone))[None, :, None].repeat(20, axis=2)
    elsewhere = np.array([False] * there + [True] * away + [False] * gone)[None, :, None].repeat(20, axis=2)
    drawn = says | (np.arange(20) < 8)  # all drew it at first, and so nobody is taken for a passer-by
    found = vote_presence(drawn, np.ones((1, drawn.shape[1])), elsewhere & (np.arange(20) >= 8))
    assert bool(found[0, 15]) is seen
    assert found[0, :5].all()


@pytest.mark.parametrize("seed", range(5))
def test_all_overlaps_are_found_however_large_and_far_the_boxes_are(seed):
    rng = np.random.default_rng(seed)

    def scene(n: int) -> Dense:
        low = rng.uniform(0, 3000, (n, 40, 2))
        low = low[:, :1] + rng.normal(0, 3, low.shape)
        size = rng.choice([5.0, 40, 900], (n, 1, 1)) * rng.uniform(0.5, 1, (n, 1, 2))
        boxes = np.concatenate([low, low + size], axis=2)
        boxes[rng.random((n, 40)) < 0.3] = np.nan
        names, there = tuple(map(str, range(n))), ~np.isnan(boxes[..., 0])
        return Dense(0, names, names, boxes, there, there & False)

    a, b = scene(25), scene(20)
    found = overlaps(a, b)
    low = np.maximum(a.boxes[:, None, :, :2], b.boxes[None, :, :, :2])
    high = np.minimum(a.boxes[:, None, :, 2:], b.boxes[None, :, :, 2:])
    want = set(zip(*(x.tolist() for x in np.nonzero((low < high).all(axis=3))), strict=True))
    assert set(zip(found.left.tolist(), found.right.tolist(), found.frame.tolist(), strict=True)) == want
    assert len(found.left) == len(want)


def test_of_what_few_of_many_saw_only_what_most_of_them_did_is_there():
    drawn = np.zeros((1, 5, 60), bool)
    drawn[0, 0, 10:40], drawn[0, 1, 25:50] = True, True
    five, four = (vote_presence(drawn[:, :w], np.array([[1.0, 1.0, 0.0, 0.0, 0.0]])[:, :w])[0] for w in (5, 4))
    assert np.flatnonzero(five).tolist() == list(range(25, 40))
    assert four[12:46].all()
