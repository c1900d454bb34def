"""Times are shorter where more happens from one frame to the next."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Tracks, fill, make_track
from review.core.consensus import Submission, make_consensus
from review.core.stacking import stack


def walkers(speeds, frames=30, size=(20.0, 80.0), step=1):
    """One worker's tracks, each so many sides of its box to the right a frame, with keyframes every `step` frames."""
    at = np.arange(0, frames, step)
    side = float(np.sqrt(np.prod(size)))
    tracks = []
    for number, speed in enumerate(speeds):
        left, top = speed * side * at, np.full(len(at), 100.0 * number)
        tracks.append(make_track(str(number), "person", at, np.stack([left, top, left + size[0], top + size[1]], 1)))
    return Tracks(0, frames, tuple(tracks))


def scale_of(*submissions):
    return stack(submissions, 0, submissions[0].stop).time_scale


@pytest.mark.parametrize(
    ("speed", "scale"), [(0.0, 1.0), (0.03, 1.0), (0.06, 1.0), (0.12, 0.5), (0.2, 0.3), (0.9, 0.2)]
)
def test_times_are_as_short_as_objects_are_fast(speed, scale):
    assert scale_of(walkers([speed]), walkers([speed])) == pytest.approx(scale)


@pytest.mark.parametrize(("step", "scale"), [(1, 0.3), (3, 0.3), (5, 0.5), (10, 1.0), (30, 1.0)])
def test_times_are_no_shorter_than_keyframes_tell(step, scale):
    drawn = walkers([0.2, 0.2], frames=61, step=step)
    assert scale_of(drawn, drawn, walkers([0.2], frames=61)) == pytest.approx(scale)


def test_parked_cars_hold_nobody_up():
    street = walkers([0.2] * 3, frames=61)
    parked = walkers([0.0] * 20, frames=61, step=60).tracks
    both = Tracks(0, 61, (*street.tracks, *(dataclasses.replace(t, id=f"parked {t.id}") for t in parked)))
    assert scale_of(both, both) == pytest.approx(0.3)


def test_absences_and_keyframes_of_other_segments_are_no_time_between_keyframes():
    at = np.concatenate([np.arange(30), np.arange(90, 120)])
    left = 8.0 * at
    boxes = np.stack([left, 0 * left, left + 20, 0 * left + 80], axis=1)
    comes_back = make_track("1", "person", at, boxes, outside=at == 29)
    strays = make_track("1", "person", [-1000, *at[:30], 1000], boxes[[0, *range(30), 29]])
    assert scale_of(Tracks(0, 120, (comes_back,))) == pytest.approx(0.3)
    assert scale_of(Tracks(0, 30, (strays,))) == pytest.approx(0.3)


@pytest.mark.parametrize("shift", [0.0, 1.0, 13.7, 123.456, 1000.1])
def test_where_in_the_picture_things_happen_makes_no_time_longer(shift):
    there = walkers([0.12], frames=31)
    moved = tuple(dataclasses.replace(t, points=t.points + shift) for t in there.tracks)
    block = stack([Tracks(0, 31, moved)], 0, 31)
    assert (block.time_scale, block.frames(5), block.frames(3), block.frames(15)) == (0.5, 3, 2, 8)


def test_half_of_the_frames_are_half_of_the_time():
    every, second = walkers([0.08, 0.1]), walkers([0.16, 0.2], frames=15)
    assert scale_of(second) == pytest.approx(scale_of(every) / 2, abs=0.001)


def test_boxes_that_stand_still_or_jump_about_have_no_say_against_most_workers():
    rng = np.random.default_rng(4)
    corner = rng.uniform(0, 1000, (30, 2))
    jumps = Tracks(0, 30, (make_track("1", "person", np.arange(30), np.concatenate([corner, corner + 30], 1)),))
    honest = walkers([0.12])
    assert scale_of(honest, honest, jumps) == pytest.approx(0.5)
    assert scale_of(honest, honest, walkers([0.0])) == pytest.approx(0.5)


def test_nobody_and_who_is_there_for_a_moment_say_nothing_of_time():
    assert scale_of(Tracks(0, 30)) == 1.0
    assert scale_of(walkers([0.5], frames=4)) == 1.0


@pytest.mark.parametrize("seed", range(8))
def test_whoever_is_taken_for_three_others_within_nine_frames_keeps_to_their_way(seed):
    """Three come towards a fourth, three frames apart; each worker exchanges another one of them with the fourth."""
    at, rng, meetings = np.arange(13), np.random.default_rng(seed), (3, 6, 9)
    courses = [(10.0 * at, 0.0), *((10.0 * (2 * meeting - 1 - at), 5.0) for meeting in meetings)]
    truth = [np.stack([x, 0 * x + y, x + 20, 0 * x + y + 40], axis=1) for x, y in courses]
    submissions = []
    for worker, meeting in enumerate(meetings):
        drawn = [way + rng.normal(0, 0.8, way.shape) for way in truth]
        mine, other = drawn[0], drawn[worker + 1]
        mine[meeting:], other[meeting:] = other[meeting:].copy(), mine[meeting:].copy()
        tracks = tuple(make_track(str(i), "person", at, way) for i, way in enumerate(drawn))
        submissions.append(Submission(f"s{worker}", f"w{worker}", Tracks(0, 13, tracks)))
    found = fill(make_consensus(submissions, 0, 13).tracks.tracks, 0, 13)
    alike = np.array([[iou_aligned(boxes, way).min() for way in truth] for boxes in found.boxes])
    assert alike.shape == (4, 4)
    assert sorted(alike.argmax(axis=1).tolist()) == [0, 1, 2, 3]
    assert np.all(alike.max(axis=1) > 0.75)
