"""Objects that go on in a neighbouring segment: who bears witness to them, and how boxes move to where both meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annotation.core.tracks import Tracks, make_track
from crowd.core.skill import Skill
from review.core.consensus import Submission, make_consensus
from review.core.neighbouring import Errors, _own_error, level, usual_errors, witnesses
from review.core.neighbouring import _Meeting as Meeting

FRAMES, SHARED = 100, 10
BOX = np.array([100.0, 100.0, 140.0, 180.0])
SIDES = np.array([40.0, 80.0, 40.0, 80.0])


def lasting_errors(rng: np.random.Generator, workers: int, frames: int, fade: float) -> np.ndarray:
    """Errors (w, n, 4) of standard deviation 0.05 that are alike to 1/e after `fade` frames."""
    stays = np.exp(-1 / fade)
    out = rng.normal(0, 1, (workers, frames, 4))
    for f in range(1, frames):
        out[:, f] = stays * out[:, f - 1] + np.sqrt(1 - stays**2) * out[:, f]
    return 0.05 * out


def beside(box: np.ndarray, voices: int, first: int = FRAMES - SHARED) -> Tracks:
    """A neighbour that has one object, standing still, by so many submissions."""
    track = make_track("1", "person", [first, first + 60], [box, box])
    return Tracks(first, first + 61, (replace(track, support=tuple(f"n{i}" for i in range(voices))),))


def own(rng: np.random.Generator, fade: float = 40.0, workers: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of an object that stands still (1, w, n, 4), off together by nothing, and their mean (1, n, 4)."""
    errors = lasting_errors(rng, workers, FRAMES, fade)
    boxes = (BOX + (errors - errors.mean(axis=0)) * SIDES)[None]
    return boxes, boxes.mean(axis=1)


def test_both_sides_meet_in_the_middle_of_all_who_drew_and_move_less_the_further_from_there():
    boxes, fused = own(np.random.default_rng(1))
    moved = level(boxes, fused, 0, [beside(BOX + 0.05 * SIDES, 3)])
    share = ((moved - fused) / SIDES / 0.05)[0].mean(axis=1)
    assert share[-SHARED // 2] == pytest.approx(0.5, abs=0.05)
    assert (np.diff(share[: -SHARED // 2]) > 0).all()
    assert 0 < share[0] < 0.15


@pytest.mark.parametrize(("voices", "share"), [(1, 0.25), (3, 0.5), (9, 0.75), (0, 0.625)])
def test_each_voice_counts_the_same_on_either_side_and_a_reviewer_as_five(voices: int, share: float):
    boxes, fused = own(np.random.default_rng(2))
    moved = level(boxes, fused, 0, [beside(BOX + 0.03 * SIDES, voices)])
    assert ((moved - fused) / SIDES / 0.03)[0, -SHARED // 2].mean() == pytest.approx(share, abs=0.05)


def test_what_workers_agree_on_is_not_moved():
    boxes = np.tile(BOX, (1, 3, FRAMES, 1))
    assert np.abs(level(boxes, boxes[:, 0], 0, [beside(BOX + 0.05 * SIDES, 3)]) - boxes[:, 0]).max() < 1e-3


def test_nothing_moves_without_a_neighbour_or_beside_one_that_says_the_same_or_shows_something_else():
    boxes, fused = own(np.random.default_rng(3))
    away = BOX + [60.0, 0.0, 60.0, 0.0]
    for around in ([], [beside(away, 3)], [beside(BOX, 3, first=FRAMES)], [Tracks(90, 150)]):
        assert np.array_equal(level(boxes, fused, 0, around), fused)
    still = level(boxes, np.tile(BOX, (1, FRAMES, 1)), 0, [beside(BOX, 3)])
    assert np.allclose(still, BOX)


def test_errors_that_do_not_last_say_nothing_about_other_frames():
    rng = np.random.default_rng(4)
    reach = []
    for fade in (2.0, 100.0):
        many = [own(rng, fade) for _ in range(20)]
        boxes, fused = (np.concatenate([one[i] for one in many]) for i in (0, 1))
        boxes[1:] += 1000.0
        fused[1:] += 1000.0
        moved = level(boxes, fused, 0, [beside(BOX + 0.05 * SIDES, 3)])
        assert np.array_equal(moved[1:], fused[1:])
        reach.append(float(((moved - fused) / SIDES)[0, 70].mean()))
    assert reach[0] < 0.003 < 0.01 < reach[1]


@pytest.mark.parametrize("fade", [8.0, 30.0, 90.0])
def test_how_large_errors_are_and_how_long_they_last_is_read_from_the_workers_differences(fade: float):
    rng = np.random.default_rng(5)
    boxes = np.stack([BOX + lasting_errors(rng, 4, 300, fade) * SIDES for _ in range(30)])
    found = usual_errors(boxes, boxes.mean(axis=1))
    assert found.scale == pytest.approx(0.05, rel=0.1)
    assert np.abs(found.lasting[:150] - np.exp(-np.arange(150) / fade)).max() < 0.12


def test_a_neighbour_who_is_far_off_pulls_no_further_than_errors_go():
    boxes, fused = own(np.random.default_rng(6))
    near, far = (np.abs(level(boxes, fused, 0, [beside(BOX + off * SIDES, 3)]) - fused).max() for off in (0.1, 0.25))
    assert far == pytest.approx(near, rel=0.3)


def test_an_object_between_two_neighbours_is_moved_by_both_as_a_naive_estimate_says():
    rng = np.random.default_rng(7)
    errors = Errors(0.05, np.exp(-np.arange(60) / 20.0))
    at, apart = [np.array([0, 3]), np.array([50, 54, 59])], [rng.normal(0, 0.02, (1, n, 4)) for n in (2, 3)]
    known = [np.array([[True, True]]), np.array([[True, False, True]])]
    voices = [np.array([2.0]), np.array([4.0])]
    meetings = [Meeting(*some) for some in zip(at, apart, known, voices, strict=True)]
    for some in meetings:
        some.apart[~some.known] = 0.0
    found = _own_error(meetings, np.array([1 / 3]), errors)[0]

    looks = [(0, 0, 2.0), (0, 3, 2.0), (1, 50, 4.0), (1, 59, 4.0)]
    said = np.array([apart[0][0, 0], apart[0][0, 1], apart[1][0, 0], apart[1][0, 2]])
    table = np.zeros((4, 4))
    for i, (m, f, v) in enumerate(looks):
        for j, (other, g, _) in enumerate(looks):
            table[i, j] = np.exp(-abs(f - g) / 20) * (1 / 3 + (1 / v if m == other else 0))
        table[i, i] += 0.3 * (1 / 3 + 1 / v)
    for frame in range(60):
        ways = np.array([np.exp(-abs(frame - f) / 20) / 3 for _, f, _ in looks])
        assert found[frame] == pytest.approx(ways @ np.linalg.inv(table) @ said, abs=1e-9)


def test_where_workers_drew_on_a_grid_the_result_lies_on_it():
    rng = np.random.default_rng(8)
    boxes = np.round(BOX + lasting_errors(rng, 3, FRAMES, 30.0) * SIDES)[None]
    moved = level(boxes, np.round(boxes.mean(axis=1)), 0, [beside(BOX + 0.1 * SIDES, 3)])
    assert np.array_equal(moved, np.round(moved))


def test_a_hair_whose_end_is_moved_by_a_part_of_a_pixel_is_not_turned_inside_out():
    """Sides count a pixel at least, so what is less wide than it is off has to stay where it is."""
    errors = lasting_errors(np.random.default_rng(1), 3, FRAMES, fade=40)
    width = np.where(np.arange(FRAMES) < FRAMES - SHARED, 0.01, 0.8)
    mean = np.tile(BOX, (FRAMES, 1))
    mean[:, 2] = mean[:, 0] + width
    boxes = (mean + (errors - errors.mean(axis=0)) * np.tile(mean[:, 2:] - mean[:, :2], 2))[None]
    fused = boxes.mean(axis=1)
    moved = level(boxes, fused, 0, [beside(BOX * (1, 1, 0, 1) + (0.1, 0, 100.5, 0), 3)])
    assert (moved[..., 2:] > moved[..., :2]).all()
    assert not np.array_equal(moved[:, -SHARED:], fused[:, -SHARED:])


def test_frames_on_which_an_object_is_away_stay_empty():
    boxes, fused = own(np.random.default_rng(9))
    boxes[:, :, 40:60], fused[:, 40:60] = np.nan, np.nan
    moved = level(boxes, fused, 0, [beside(BOX + 0.05 * SIDES, 3)])
    assert np.isnan(moved[0, 40:60]).all() and not np.isnan(moved[0, :40]).any()


def test_a_cluster_has_a_witness_where_a_neighbour_shows_it_on_three_shared_frames_or_more():
    boxes = np.full((3, 2, FRAMES, 4), np.nan)
    boxes[0, 0, 80:], boxes[1, :, :], boxes[2, 1, 98:] = BOX, BOX + 500, BOX
    assert witnesses(boxes, 0, [beside(BOX, 2)]).tolist() == [1, 0, 0]
    assert not witnesses(boxes, 0, []).any()


def test_both_neighbours_are_two_witnesses_for_what_one_of_three_drew():
    track = make_track("1", "person", [0, FRAMES - 1], [BOX, BOX])
    careful = Skill(0.97, 0.95, 0.99, weight=2.0, hit=0.95, false_alarm=0.3, spread=0.05)
    given = [Submission(str(w), str(w), Tracks(0, FRAMES, (track,) * (w == 0)), careful) for w in range(3)]
    sides = [beside(BOX, 3), beside(BOX, 3, first=SHARED - 61)]
    made = [make_consensus(given, 0, FRAMES, lone=True, around=around) for around in (sides[:1], sides[1:], sides)]
    assert [len(one.tracks.tracks) for one in made] == [0, 0, 1]


@pytest.mark.parametrize(("shared", "least"), [(2, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_where_segments_share_few_frames_a_quarter_of_them_is_enough_to_be_known_again(shared: int, least: int):
    def on_the_last(frames: int) -> np.ndarray:
        boxes = np.full((1, 2, FRAMES, 4), np.nan)
        boxes[0, :, FRAMES - frames :] = BOX + np.array([[[1.0]], [[-1.0]]])[:, :, [0, 0, 0, 0]]
        return boxes

    other = beside(BOX + 2, 2, FRAMES - shared)
    for frames, known in ((least, True), (least - 1, False)):
        boxes = on_the_last(frames)
        assert witnesses(boxes, 0, [other]).tolist() == [known]
        fused = boxes.mean(axis=1)
        assert (level(boxes, fused, 0, [other]) is not fused) == known


def test_neighbours_make_a_crowds_boxes_better_on_both_sides_of_what_they_share():
    rng = np.random.default_rng(10)
    gains = []
    for _ in range(20):
        parts = []
        for start in (0, 60):
            errors = lasting_errors(rng, 3, 70, 40.0)
            parts.append(
                [
                    Submission(f"{start}-{w}", f"{w}", Tracks(start, start + 70, (_drawn(start, own_errors),)))
                    for w, own_errors in enumerate(errors)
                ]
            )
        alone = [make_consensus(some, start, start + 70) for some, start in zip(parts, (0, 60), strict=True)]
        both = [
            make_consensus(some, start, start + 70, around=[alone[1 - i].tracks])
            for i, (some, start) in enumerate(zip(parts, (0, 60), strict=True))
        ]
        gains += [(_error(a), _error(b)) for a, b in zip(alone, both, strict=True)]
    before, after = np.mean(gains, axis=0)
    assert after < 0.9 * before


def test_workers_are_judged_by_what_they_drew_and_not_by_where_neighbours_move_it():
    errors = lasting_errors(np.random.default_rng(11), 3, 70, 40.0)
    given = [Submission(f"{w}", f"{w}", Tracks(0, 70, (_drawn(0, own_errors),))) for w, own_errors in enumerate(errors)]
    alone = make_consensus(given, 0, 70)
    beside_them = make_consensus(given, 0, 70, around=[beside(BOX + 0.1 * SIDES, 5, first=60)])
    assert (beside_them.agreement, beside_them.scores) == (alone.agreement, alone.scores)
    assert _error(beside_them) != _error(alone)


def _drawn(start: int, errors: np.ndarray):
    at = np.arange(0, 70, 10).tolist() + [69]
    return make_track("1", "person", np.array(at) + start, BOX + errors[at] * SIDES)


def _error(made) -> float:
    points = made.tracks.tracks[0].points
    return float((((points - BOX) / SIDES) ** 2).mean())
