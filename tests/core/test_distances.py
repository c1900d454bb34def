"""Alpha by every distance beside a naive alpha over a naive distance: all pairings tried, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Interval, Tracks, fill, make_track
from review.core import distances
from review.core.agreement import alpha_by
from tests.core.test_agreement import naive

FRAMES = 4
PLACES = ([0.0, 0.0, 10.0, 10.0], [4.0, 0.0, 14.0, 10.0], [5.0, 5.0, 15.0, 15.0], [40.0, 40.0, 60.0, 50.0])
boxes = st.lists(st.sampled_from(PLACES), max_size=3)
intervals = st.lists(
    st.builds(
        lambda label, at, n: Interval(label, at, at + n), st.sampled_from("xy"), st.integers(0, 4), st.integers(0, 4)
    ),
    max_size=3,
)
# A track of a label over some frames: the place on each, or None where it is absent.
walks = st.lists(
    st.tuples(
        st.sampled_from("xy"), st.lists(st.one_of(st.none(), st.sampled_from(PLACES)), min_size=FRAMES, max_size=FRAMES)
    ),
    max_size=3,
)
points = st.tuples(st.floats(0, 50), st.floats(0, 50), st.integers(0, 2))
skeletons = st.lists(st.lists(points, min_size=3, max_size=3), max_size=2)
K = np.array([0.05, 0.1, 0.2])


def naive_distance(a: Sequence[Any], b: Sequence[Any], likeness: Callable[[Any, Any], float]) -> float:
    if not a or not b:
        return float(bool(a) != bool(b))
    few, many = sorted((list(a), list(b)), key=len)
    swap = few != list(a)
    pairings = (
        [likeness(*(pair[::-1] if swap else pair)) for pair in zip(few, some, strict=True)]
        for some in permutations(many, len(few))
    )
    return 1 - 2 * max(sum(p) for p in pairings) / (len(a) + len(b))


def naive_iou(a: Sequence[float], b: Sequence[float]) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, wide) * max(0.0, high)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def naive_temporal(a: Interval, b: Interval) -> float:
    mine, theirs = set(range(a.start, a.stop)), set(range(b.start, b.stop))
    if a.label != b.label:
        return 0.0
    if not mine and not theirs:
        return float(a.start == b.start)
    gap = max(a.stop, b.stop) - min(a.start, b.start)
    return len(mine & theirs) / gap


def naive_tracks(a: tuple[str, list], b: tuple[str, list]) -> float:
    if a[0] != b[0]:
        return 0.0
    either = [(x, y) for x, y in zip(a[1], b[1], strict=True) if x or y]
    return sum(naive_iou(x, y) for x, y in either if x and y) / len(either) if either else 0.0


def naive_oks(a: Sequence[tuple], b: Sequence[tuple]) -> float:
    def one_way(drawn: Sequence[tuple], truth: Sequence[tuple]) -> float:
        seen = [i for i, point in enumerate(truth) if point[2] > 0]
        if not seen:
            return 0.0
        xs, ys = [truth[i][0] for i in seen], [truth[i][1] for i in seen]
        area = max(1.0, (max(xs) - min(xs)) * (max(ys) - min(ys)))
        far = [(drawn[i][0] - truth[i][0]) ** 2 + (drawn[i][1] - truth[i][1]) ** 2 for i in seen]
        return sum(math.exp(-d / (2 * area * K[i] ** 2)) for d, i in zip(far, seen, strict=True)) / len(seen)

    return (one_way(a, b) + one_way(b, a)) / 2


def as_dense(walk: list) -> Any:
    tracks = []
    for n, (label, places) in enumerate(walk):
        if any(places):
            filled = [place or [np.nan] * 4 for place in places]
            tracks.append(make_track(str(n), label, range(FRAMES), filled, outside=[p is None for p in places]))
    return fill(Tracks(0, FRAMES, tuple(tracks)).tracks, 0, FRAMES)


def there(walk: list) -> list:
    return [t for t in walk if any(t[1])]


CASES = {
    "boxes": (boxes, np.array, distances.boxes_distance, naive_iou, list),
    "intervals": (intervals, list, distances.intervals_distance, naive_temporal, list),
    "tracks": (walks, as_dense, distances.tracks_distance, naive_tracks, there),
    "skeletons": (
        skeletons,
        lambda s: np.array(s, float).reshape(-1, 3, 3),
        lambda a, b: distances.skeletons_distance(a, b, K),
        naive_oks,
        list,
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_alpha_by_a_distance_is_the_naive_one(name, data):
    kind, prepared, distance, likeness, kept = CASES[name]
    answers = data.draw(st.lists(st.tuples(kind, st.integers(0, 2)), max_size=7))
    units = [u for _, u in answers]
    want = naive([kept(a) for a, _ in answers], units, lambda a, b, _: naive_distance(a, b, likeness))
    found = alpha_by([prepared(a) for a, _ in answers], units, distance).value
    assert found == (want if want is None else pytest.approx(want, abs=1e-9))


def test_keypoints_are_as_alike_as_coco_says():
    coco = pytest.importorskip("pycocotools.cocoeval")
    rng = np.random.default_rng(5)
    truth = np.column_stack([rng.uniform(0, 100, (17, 2)), rng.integers(0, 3, 17)])
    drawn = truth + np.column_stack([rng.normal(0, 6, (17, 2)), np.zeros(17)])
    judge = coco.COCOeval(iouType="keypoints")
    box = [float(v) for v in (*truth[:, :2].min(axis=0), *np.ptp(truth[:, :2], axis=0))]
    judge._gts[1, 1] = [{"keypoints": truth.ravel().tolist(), "bbox": box, "area": 5000.0}]
    judge._dts[1, 1] = [{"keypoints": drawn.ravel().tolist(), "score": 1.0}]
    (want,) = np.asarray(judge.computeOks(1, 1)).ravel()
    assert 0.1 < want < 0.95
    assert distances.oks(drawn, truth, area=5000.0) == pytest.approx(want, abs=1e-12)
