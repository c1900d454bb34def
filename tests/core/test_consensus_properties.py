"""What must hold of every consensus, of crowds whose objects meet and are exchanged, missed, cut short, invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation.core.boxes import iou_aligned
from annotation.core.parsing import parse_tracks
from annotation.core.tracks import Track, Tracks, fill, make_track, to_json
from crowd.core.copying import ALIKE, likenesses
from crowd.core.skill import Skill
from crowd.core.spamming import copied
from review.core.consensus import Consensus, Submission, make_consensus
from review.core.fusing import fuse

START, STOP = 10, 70
LONG = 40
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Crowd:
    """Submissions, and how they are judged; `name` says how to make it again."""

    name: str
    given: tuple[Submission, ...]
    lone: bool
    around: tuple[Tracks, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What Hypothesis shows of a crowd that fails, in the place of all of its boxes."""
        printer.text(self.name)

    def agree(self) -> Consensus:
        return make_consensus(self.given, START, STOP, lone=self.lone, around=self.around)


def skill(rng: np.random.Generator) -> Skill:
    mean = float(rng.uniform(0.4, 0.98))
    weight = float(np.clip(np.log(mean / (1 - mean)), 0, 3))
    return Skill(
        mean, mean / 2, (1 + mean) / 2, weight, mean, float(rng.uniform(0, 0.5)), float(rng.uniform(0.01, 0.2))
    )


def walkers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Objects that walk through each other on one street, (k, n, 4)."""
    at = np.arange(STOP - START)[:, None]
    first = np.column_stack([rng.uniform(0, 300, count), rng.uniform(0, 40, count)])
    pace = rng.uniform(-4, 4, (count, 2)) * (1, 0.05)
    size = rng.uniform(30, 60, (count, 2)) * (1, 1.5)
    corner = first[:, None] + pace[:, None] * at
    return np.concatenate([corner, corner + size[:, None]], axis=2)


def draw(rng: np.random.Generator, paths: np.ndarray) -> Tracks:
    """What one worker makes of it."""
    paths, tracks = paths.copy(), []
    for _ in range(rng.integers(0, 3) if len(paths) > 1 else 0):
        one, other = rng.permutation(len(paths))[:2]
        late = int(rng.integers(STOP - START))
        paths[[one, other], late:] = paths[[other, one], late:]
    for k, path in enumerate([*paths, *walkers(rng, int(rng.integers(0, 2)))]):
        if rng.random() < 0.2:
            continue
        first = int(rng.integers(0, 20)) if rng.random() < 0.4 else 0
        last = int(rng.integers(first + 1, len(path) + 1)) if rng.random() < 0.4 else len(path)
        boxes = path[first:last] + rng.normal(0, 3, 4)
        gone = [[np.nan] * 4] if last < len(path) else []
        frames = range(START + first, START + last + len(gone))
        outside = [False] * (last - first) + [True] * len(gone)
        tracks.append(make_track(f"t{k}", str(rng.choice(["car", "bus"])), frames, [*boxes, *gone], outside=outside))
    return Tracks(START, STOP, tuple(tracks))


def crowd(seed: int, workers: int) -> Crowd:
    rng = np.random.default_rng(seed)
    paths = walkers(rng, int(rng.integers(0, 5)))
    known = rng.random() < 0.5
    given = [Submission(f"s{w}", f"w{w}", draw(rng, paths), skill(rng) if known else None) for w in range(workers)]
    around = (replace(draw(rng, paths), start=START, stop=START + 10),) if rng.random() < 0.3 else ()
    return Crowd(f"crowd({seed}, {workers})", tuple(given), bool(rng.random() < 0.5), around)


CROWDS = st.builds(crowd, SEEDS, st.integers(0, 5))


def dense(made: Consensus) -> tuple[np.ndarray, np.ndarray]:
    filled = fill(made.tracks.tracks, START, STOP)
    return filled.boxes, filled.present


@settings(max_examples=60, deadline=None)
@given(CROWDS, SEEDS)
def test_neither_the_order_of_workers_nor_that_of_tracks_nor_their_names_have_a_say(some: Crowd, seed: int):
    rng = np.random.default_rng(seed)

    def mixed(one: Submission, place: int) -> Submission:
        tracks = [one.tracks.tracks[i] for i in rng.permutation(len(one.tracks.tracks))]
        named = [replace(t, id=f"x{i}") for i, t in enumerate(tracks)]
        return replace(one, id=f"s{place}", tracks=replace(one.tracks, tracks=tuple(named)))

    def by_worker(made: Consensus, given: Sequence[Submission]) -> tuple[dict[str, float], list[set[str]]]:
        workers = {s.id: s.worker for s in given}
        scores = {workers[name]: score for name, score in made.scores.items()}
        return scores, [{workers[name] for name in t.support} for t in made.tracks.tracks]

    order = rng.permutation(len(some.given)).tolist()
    other = replace(some, given=tuple(mixed(some.given[i], place) for place, i in enumerate(order)))
    first, second = some.agree(), other.agree()
    if len(some.given) > 1:
        for one, two in zip(dense(first), dense(second), strict=True):
            assert np.array_equal(one, two, equal_nan=True)
        told = [[(t.label, t.confidence) for t in made.tracks.tracks] for made in (first, second)]
        assert told[0] == told[1]
    (scores, support), (its_scores, its_support) = by_worker(first, some.given), by_worker(second, other.given)
    assert scores == pytest.approx(its_scores, abs=1e-12)
    assert support == its_support
    judged = [(made.agreement, made.confidence, made.gain, made.risk) for made in (first, second)]
    assert judged[0] == pytest.approx(judged[1], abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(CROWDS, st.integers(-300, 300), st.sampled_from([0.5, 2.0, 4.0]))
@example(crowd(1858, 3), 300, 2.0)  # two ways that tie
def test_what_is_moved_and_scaled_comes_back_moved_and_scaled(some: Crowd, move: int, scale: float):
    def change(tracks: Tracks) -> Tracks:
        return replace(tracks, tracks=tuple(replace(t, points=t.points * scale + move) for t in tracks.tracks))

    moved = replace(
        some,
        given=tuple(replace(s, tracks=change(s.tracks)) for s in some.given),
        around=tuple(change(t) for t in some.around),
    )
    first, second = some.agree(), moved.agree()
    boxes, present = dense(first)
    other, other_present = dense(second)
    assert np.array_equal(present, other_present)
    assert (iou_aligned(boxes * scale + move, other)[present] > 0.97).all()
    assert np.allclose([t.confidence for t in first.tracks.tracks], [t.confidence for t in second.tracks.tracks])


@settings(max_examples=40, deadline=None)
@given(CROWDS.filter(lambda some: some.given), st.sampled_from([-START, 1, 10_000, 2**31]))
def test_when_it_is_in_the_video_has_no_say(some: Crowd, later: int):
    def shift(tracks: Tracks) -> Tracks:
        moved = []
        for t in tracks.tracks:
            disputes = tuple((a + later, b + later) for a, b in t.disputes)
            moved.append(replace(t, frames=t.frames + later, disputes=disputes))
        return Tracks(tracks.start + later, tracks.stop + later, tuple(moved))

    given = [replace(s, tracks=shift(s.tracks)) for s in some.given]
    around = [shift(t) for t in some.around]
    first, second = some.agree(), make_consensus(given, START + later, STOP + later, lone=some.lone, around=around)
    assert to_json(shift(first.tracks)) == to_json(second.tracks)
    assert replace(first, tracks=second.tracks) == second


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(3, 6), st.booleans())
def test_boxes_that_lie_apart_become_a_box_that_ends_after_it_begins(seed: int, workers: int, whole: bool):
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 100, (40, workers, 1, 2)), rng.uniform(1, 40, (40, workers, 1, 2))
    boxes = np.concatenate([corner, corner + size], axis=-1)
    fused, _ = fuse(boxes.round() if whole else boxes, rng.uniform(0.01, 0.3, workers))
    assert (fused[..., 2:] > fused[..., :2]).all()
    assert (fused >= boxes.min(axis=1) - 1).all() and (fused <= boxes.max(axis=1) + 1).all()


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 5))
def test_equal_submissions_come_back(seed: int, copies: int):
    rng = np.random.default_rng(seed)
    # Without exchanges: two workers who make the same mistake are asked whether it is one, by `mending`.
    drawn = [_track(k, path) for k, path in enumerate(walkers(rng, int(rng.integers(0, 5))))]
    tracks = Tracks(START, STOP, tuple(drawn))
    made = make_consensus([Submission(f"s{i}", f"w{i}", tracks) for i in range(copies)], START, STOP)
    boxes, present = dense(made)
    assert len(boxes) == len(drawn)
    own = fill(tracks.tracks, START, STOP).boxes
    for path, there in zip(boxes, present, strict=True):
        assert there.all()
        assert max(iou_aligned(path, other).min() for other in own) >= 0.98
    assert made.agreement > 0.98 or not drawn


def _track(k: int, path: np.ndarray) -> Track:
    return make_track(f"t{k}", "car", range(START, STOP), path)


@settings(max_examples=80, deadline=None)
@given(CROWDS)
def test_every_number_is_one_and_every_share_is_a_share(some: Crowd):
    made = some.agree()
    boxes, present = dense(made)
    assert np.isfinite(boxes[present]).all()
    assert (boxes[present][:, 2:] >= boxes[present][:, :2]).all()
    shares = [made.agreement, made.confidence, *made.scores.values()]
    shares += [t.confidence for t in made.tracks.tracks]
    assert all(0 <= share <= 1 for share in shares)
    assert np.isfinite([made.gain, made.risk]).all()
    assert min(made.gain, made.risk) >= 0


@settings(max_examples=60, deadline=None)
@given(CROWDS)
def test_nobody_has_two_boxes_in_one_object_and_no_object_was_drawn_by_nobody(some: Crowd):
    made = some.agree()
    drawn = {s.id: fill(s.tracks.tracks, START, STOP) for s in some.given}
    for track in made.tracks.tracks:
        assert track.support
        assert all(drawn[name].present.any() for name in track.support)


@settings(max_examples=40, deadline=None)
@given(CROWDS.filter(lambda some: len(some.given) >= 3), st.floats(0, 0.01), SEEDS)
def test_a_copy_that_is_flagged_raises_no_confidence(some: Crowd, jitter: float, seed: int):
    source = some.given[0]
    echo = copied(source.tracks, np.random.default_rng(seed), jitter=jitter)
    copy = replace(source, id="t", worker="thief", tracks=echo)
    given = (*some.given, copy)
    drawn = [fill(s.tracks.tracks, START, STOP) for s in given]
    found = likenesses(drawn, [0.05] * len(drawn))
    flagged = {j for (_, j), likeness in found.items() if likeness.score >= ALIKE}
    if flagged != {len(drawn) - 1}:
        return
    heard = replace(some, given=tuple(s for i, s in enumerate(given) if i not in flagged))
    before, after = some.agree(), heard.agree()
    assert [t.confidence for t in after.tracks.tracks] == [t.confidence for t in before.tracks.tracks]
    assert after.confidence == before.confidence


def wild(rng: np.random.Generator, frames: int, scale: float, away: float) -> Tracks:
    """What anybody may send: boxes about so large and so far away, here and gone, jumping, as thin as lines."""
    tracks = []
    for k in range(rng.integers(0, 5)):
        at = np.sort(rng.choice(frames, int(rng.integers(1, min(frames, 40) + 1)), replace=False))
        steps = np.cumsum(rng.normal(0, scale * rng.choice([0, 0.1, 1, 50]), (len(at), 2)), axis=0)
        corner = steps + [3 * k * scale, 0] + away
        size = scale * np.exp(rng.normal(0, rng.choice([0, 0.3, 2]), (len(at), 2)))
        edges = np.concatenate([corner, corner + size], axis=1)
        edges += rng.standard_t(2, edges.shape) * scale * rng.choice([0, 0.05, 0.3])
        edges = np.concatenate([np.minimum(edges[:, :2], edges[:, 2:]), np.maximum(edges[:, :2], edges[:, 2:])], axis=1)
        gone = (rng.random(len(at)) < 0.15) & (np.arange(len(at)) > 0)
        points = np.where(gone[:, None], np.nan, edges if rng.random() < 0.7 else edges.round())
        tracks.append(make_track(f"t{k}", "car", at, points, outside=gone))
    return Tracks(0, frames, tuple(tracks))


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 3, 10, 60, 300]), st.integers(2, 12))
def test_whatever_is_sent_gives_boxes_that_are_boxes(seed: int, frames: int, workers: int):
    rng = np.random.default_rng(seed)
    scale, away = 10.0 ** rng.uniform(-3, 5), rng.choice([0.0, 1e5])
    drawn = [wild(rng, frames, scale, away) for _ in range(workers)]
    made = make_consensus([Submission(str(w), f"w{w}", own) for w, own in enumerate(drawn)], 0, frames)
    for track in made.tracks.tracks:
        shown = track.points[~track.outside]
        assert np.isfinite(shown).all() and (shown[:, 2:] >= shown[:, :2]).all()
    figures = (made.agreement, made.confidence, made.risk, made.gain, *made.scores.values())
    assert np.isfinite(figures).all() and min(figures) >= 0


def hairs(rng: np.random.Generator, start: int, usual: np.ndarray) -> Tracks:
    """Boxes where they `usual`ly are (k, 4) and now and then elsewhere, the narrowest that may be sent among them."""
    tracks = []
    for k, box in enumerate(usual):
        count = int(rng.integers(1, 5)) if rng.random() < 0.7 else LONG
        at = np.sort(rng.choice(LONG, count, replace=False))
        boxes = np.where(rng.random((len(at), 1)) < 0.6, box, some_boxes(rng, len(at)))
        tracks.append(make_track(f"t{k}", "car", start + at, boxes))
    return Tracks(start, start + LONG, tuple(tracks))


def some_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner, size = rng.uniform(-3, 3, (count, 2)), rng.choice([0.002, 0.01, 1, 10], (count, 2))
    return np.concatenate([corner, corner + size], axis=1)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 5))
@example(20, 2)  # of hairs that others' keyframes move
@example(27, 5)
def test_what_could_be_sent_gives_what_could_be_sent(seed: int, workers: int):
    rng = np.random.default_rng(seed)
    usual = some_boxes(rng, 5)
    here, there = ([hairs(rng, start, usual) for _ in range(workers)] for start in (0, LONG // 2))
    first, second = ([Submission(str(w), f"w{w}", own) for w, own in enumerate(some)] for some in (here, there))
    beside = make_consensus(second, LONG // 2, LONG + LONG // 2).tracks
    made = make_consensus(first, 0, LONG, around=(beside,))
    parse_tracks(to_json(made.tracks), ontology=None, start=0, stop=LONG)  # as an amendment is
