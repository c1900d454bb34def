"""Which tracks are in each cluster, kept while clusters change: of thousands of tracks few are in any one, and whoever
asks about a cluster looks at those alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from annotation.core.tracks import Ints


class Members:
    """The cluster of every track on every frame, `member` (t, n), -1 where it is in none; changed by `put` alone."""

    def __init__(self, member: Ints) -> None:
        self.member = member
        self._tracks: dict[int, set[int]] = {}
        for track, path in enumerate(member):
            self._add(track, path)

    def tracks(self, clusters: Iterable[int]) -> Ints:
        """Those that are in any of these clusters on some frame, in order."""
        return np.array(sorted(set().union(*(self._tracks.get(k, ()) for k in clusters))), np.int64)

    @property
    def fresh(self) -> int:
        """A number above those of all clusters."""
        return max(self._tracks, default=-1) + 1

    def put(self, tracks: Ints, paths: Ints) -> tuple[Ints, set[int]]:
        """Let tracks go other ways (r, n): those of them whose way it is not already, and all clusters that gained or
        lost a box."""
        before = self.member[tracks]
        moved = before != paths
        rows = np.flatnonzero(moved.any(axis=1))
        for row in rows.tolist():
            track = int(tracks[row])
            for k in np.unique(before[row]).tolist():
                self._tracks.get(k, set()).discard(track)
                if k in self._tracks and not self._tracks[k]:
                    del self._tracks[k]
            self._add(track, paths[row])
        self.member[tracks[rows]] = paths[rows]
        return tracks[rows], {*before[moved].tolist(), *paths[moved].tolist()}

    def _add(self, track: int, path: Ints) -> None:
        for k in np.unique(path).tolist():
            if k >= 0:
                self._tracks.setdefault(k, set()).add(track)
