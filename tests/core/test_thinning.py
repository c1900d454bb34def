"""Few keyframes in the place of a box per frame, beside the same as Ramer has it: one stretch after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Bools, Floats
from review.core.thinning import choose_keyframes

Box = list[float]


def alike(a: Box, b: Box) -> float:
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (both - shared) if both > shared else 0.0


def between(boxes: list[Box], first: int, last: int, at: int) -> Box:
    share = (at - first) / (last - first)
    return [a + (b - a) * share for a, b in zip(boxes[first], boxes[last], strict=True)]


def cut(boxes: list[Box], first: int, last: int, bound: float) -> set[int]:
    """The keyframes needed between two: the worst frame, of equals the one in the middle, and those on its sides."""
    missed = [
        (alike(between(boxes, first, last, f), boxes[f]), abs(2 * f - first - last), f) for f in range(first, last)
    ]
    found, _, worst = min(missed[1:], default=(1.0, 0, 0))
    return set() if found >= bound else {worst, *cut(boxes, first, worst, bound), *cut(boxes, worst, last, bound)}


def naive(boxes: Floats, present: Bools, forced: Bools, bound: float) -> list[list[int]]:
    out = []
    for own, here, must in zip(boxes.tolist(), present.tolist(), forced.tolist(), strict=True):
        there = [*here, False]
        ends = [f for f in range(len(here)) if there[f] and not (there[f - 1] and there[f + 1])]
        keys = sorted({*ends, *(f for f in range(len(here)) if here[f] and must[f])})
        more = (cut(own, a, b, bound) for a, b in zip(keys, keys[1:], strict=False) if all(here[a : b + 1]))
        out.append(sorted({*keys, *(f for some in more for f in some)}))
    return out


@st.composite
def paths(draw: st.DrawFn) -> tuple[Floats, Bools, Bools]:
    """Tracks with jerks that tie, or that walk at random, in the middle or at the edge of what may be."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tracks, n = rng.integers(0, 5), rng.integers(1, 15)
    jerks = rng.choice([0.0, 4.0, 9.0], (tracks, n, 1), p=[0.6, 0.1, 0.3])
    moved = draw(st.sampled_from([jerks, rng.normal(0, 1, (tracks, n, 4)).cumsum(axis=1)]))
    where, unit = draw(st.sampled_from([(0.0, 1.0), (-999_990.0, 1.0), (0.0, 1e-3), (0.0, 1e4)]))
    boxes = where + unit * (moved + np.array([0.0, 0, 20, 30]))
    present = rng.random((tracks, n)) < rng.choice([0.5, 0.9, 1.0])
    return np.where(present[..., None], boxes, np.nan), present, rng.random((tracks, n)) < 0.1


@settings(max_examples=150)
@given(paths(), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_keyframes_are_those_that_ramer_chooses(made: tuple[Floats, Bools, Bools], bound: float) -> None:
    found = choose_keyframes(*made, bound)
    assert [np.flatnonzero(row).tolist() for row in found] == naive(*made, bound)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0)])
def test_of_nothing_nothing_is_a_keyframe(shape: tuple[int, int]) -> None:
    none = np.zeros(shape, bool)
    assert choose_keyframes(np.zeros((*shape, 4)), none, none).shape == shape
