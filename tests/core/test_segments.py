"""The policy's rule for cutting, for every video, length and overlap that it allows."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.segments import cut


@st.composite
def policies(draw):
    length = draw(st.integers(1, 400))
    return draw(st.integers(0, 5000)), length, draw(st.integers(0, length // 3))


@given(policies())
def test_every_cut_keeps_the_rule(policy):
    frames, length, overlap = policy
    segments = cut(frames, length, overlap)
    if frames > length:
        assert len(segments) == math.ceil((frames - overlap) / (length - overlap))
    else:
        assert len(segments) == min(frames, 1)
    lengths = [stop - start for start, stop in segments]
    assert all(0 < n <= length for n in lengths)
    assert not lengths or max(lengths) - min(lengths) <= 1
    assert [a[1] - b[0] for a, b in itertools.pairwise(segments)] == [overlap] * (len(segments) - 1)
    assert not segments or (segments[0][0], segments[-1][1]) == (0, frames)


@given(policies())
def test_no_frame_lies_in_three_segments(policy):
    segments = cut(*policy)
    assert all(a[1] <= c[0] for a, c in zip(segments, segments[2:], strict=False))


@pytest.mark.parametrize("policy", [(100, 30, 11), (100, 30, -1), (100, 0, 0), (-1, 30, 0), (10, 2, 1)])
def test_a_policy_against_the_rule_is_refused(policy):
    with pytest.raises(ValueError):
        cut(*policy)


def test_the_defaults_cut_vtest_into_three():
    assert cut(795, 300, 30) == [(0, 285), (255, 540), (510, 795)]
