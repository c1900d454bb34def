"""Who is in which cluster, while clusters change."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from review.core.membership import Members


@given(st.integers(0, 2**32 - 1))
def test_whatever_ways_tracks_go_those_in_a_cluster_are_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = Members(rng.integers(-1, 4, (6, 5)))
    for _ in range(4):
        before, tracks = found.member.copy(), rng.permutation(6)[: rng.integers(0, 4)]
        paths = np.where(rng.random((len(tracks), 5)) < 0.5, before[tracks], rng.integers(-1, 6, (len(tracks), 5)))
        moved, changed = found.put(tracks, paths)
        assert (found.member[tracks] == paths).all()
        assert sorted(moved.tolist()) == np.flatnonzero((before != found.member).any(axis=1)).tolist()
        assert changed == {*before[before != found.member].tolist(), *found.member[before != found.member].tolist()}
        assert found.fresh == max(int(found.member.max()), -1) + 1
        for clusters in ([0], [1, 3], [5, 9]):
            assert (
                found.tracks(clusters).tolist() == np.flatnonzero(np.isin(found.member, clusters).any(axis=1)).tolist()
            )
