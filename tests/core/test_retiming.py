"""The frame on which a worker's tracks change places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.boxes import iou
from annotation.core.tracks import Tracks, make_track
from review.core.fitting import FLOOR
from review.core.retiming import retime
from review.core.stacking import Stack, stack

FRAMES, CHANGED = 40, 20
PLACES = [0.0, 100.0, 200.0]


def drawn(places: np.ndarray) -> Tracks:
    """One worker's objects, each at its place on every frame, (t, n)."""
    tracks = [
        make_track(str(k), "car", range(FRAMES), [[x, 0, x + 40, 60] for x in row]) for k, row in enumerate(places)
    ]
    return Tracks(0, FRAMES, tuple(tracks))


def still(places: list[float]) -> np.ndarray:
    return np.repeat(np.array(places)[:, None], FRAMES, axis=1)


def retimed(block: Stack, member: np.ndarray, *, halves: bool = False) -> np.ndarray:
    return retime(block, member, block.overlap.iou, np.ones(block.workers), halves=halves)


def taking(frame: int) -> np.ndarray:
    """Each of three in the next one's place from a frame on, (t, n)."""
    number = np.arange(3)[:, None]
    return np.where(np.arange(FRAMES) < frame, number, (number + 1) % 3)


def test_three_that_take_each_others_places_do_so_where_they_did_and_not_where_the_first_was_led():
    block = stack([drawn(still(PLACES)), drawn(np.array(PLACES)[taking(CHANGED)])], 0, FRAMES)
    member = np.concatenate([taking(FRAMES), taking(CHANGED + 7)])
    assert (retimed(block, member) == np.concatenate([taking(FRAMES), taking(CHANGED)])).all()


def test_nothing_moves_to_where_another_track_of_the_worker_is():
    # The third place is given up to the second track by a fourth one, that leaves it late.
    places = np.array(PLACES)[taking(CHANGED)[:2]]
    block = stack([drawn(still(PLACES)), drawn(np.concatenate([places, still([300.0])]))], 0, FRAMES)
    member = np.concatenate([taking(FRAMES), taking(CHANGED + 7)])
    member[5] = np.where(np.arange(FRAMES) < CHANGED + 4, 2, 3)
    found = retimed(block, member)
    assert (found[5] == member[5]).all()
    assert not (found[3:5] == 2)[:, : CHANGED + 4].any()
    assert (found[4, CHANGED + 6 :] == 2).all()


@pytest.mark.parametrize("way", [slice(None), slice(None, None, -1)], ids=["begins", "ends"])
def test_what_begins_or_ends_where_another_was_led_is_the_other_half_of_an_exchange(way: slice) -> None:
    # Somebody comes at frame 14, and a worker exchanges the two at frame 20. Backwards somebody goes.
    number, comes = taking(FRAMES)[:2], 14
    exchanged = np.where(np.arange(FRAMES) < CHANGED, number, 1 - number)
    here = (np.arange(FRAMES) >= [[0], [comes]])[:, way]

    def seen(member: np.ndarray) -> Tracks:
        boxes = [[[x, 0, x + 40, 60] for x in row] for row in np.array(PLACES)[member[:, way]]]
        own = [make_track(str(k), "car", range(FRAMES), boxes[k], outside=~here[k]) for k in (0, 1)]
        return Tracks(0, FRAMES, tuple(own))

    block = stack([seen(number), seen(exchanged)], 0, FRAMES)
    rows = [2 * owner + int(track.id) for owner, track in zip(block.owners.tolist(), block.tracks, strict=True)]

    def member(second: np.ndarray) -> np.ndarray:
        return np.where(block.present, np.concatenate([number, second])[rows][:, way], -1)

    led = np.where(np.arange(FRAMES) < comes, number, 1 - number)
    assert (retimed(block, member(led), halves=True) == member(exchanged)).all()


def test_where_only_halves_are_asked_for_whole_exchanges_stay():
    block = stack([drawn(still(PLACES)), drawn(np.array(PLACES)[taking(CHANGED)])], 0, FRAMES)
    member = np.concatenate([taking(FRAMES), taking(CHANGED + 7)])
    assert (retimed(block, member, halves=True) == member).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, FRAMES - 1))
def test_the_frame_is_the_best_of_all(seed: int, frame: int) -> None:
    rng = np.random.default_rng(seed)
    # Two or three that walk about among each other, as two workers saw them.
    walks = np.cumsum(rng.normal(0, 6, (int(rng.integers(2, 4)), FRAMES)), axis=1)
    block = stack([drawn(np.sort(walks, axis=0)), drawn(walks)], 0, FRAMES)
    count = len(walks)
    number, other = np.arange(count), np.roll(np.arange(count), 1)
    own = np.repeat(number[:, None], FRAMES, axis=1)

    def exchanged(at: int) -> np.ndarray:
        return np.concatenate([own, np.where(np.arange(FRAMES) < at, number[:, None], other[:, None])])

    theirs, mine = block.boxes[:count].swapaxes(0, 1), block.boxes[count:].swapaxes(0, 1)
    worth = np.array([iou(left, right) for left, right in zip(theirs, mine, strict=True)]) - FLOOR

    def fit(member: np.ndarray) -> float:
        same = member[:count, None] == member[None, count:]
        return float(worth[same.transpose(2, 0, 1)].sum())

    found = retimed(block, exchanged(frame))
    assert fit(found) >= max(fit(exchanged(at)) for at in range(1, FRAMES)) - 1e-6
    assert any((found == exchanged(at)).all() for at in range(1, FRAMES))
