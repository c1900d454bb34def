"""The grid that workers drew on, if there is one: whole pixels, or those of a picture that their tool showed smaller.

Rounded edges agree to the bit as often as not, so an edge between two lines of the grid is surely wrong by a part of a
step, where small boxes lose by it: on `lidc` a mean scores 0.767, and 0.777 on the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.core.keyframes import FARTHEST, SHORTEST
from annotation.core.tracks import Bools, Floats

ENOUGH = 8  # different positions along an axis, to call it a grid
LOOK = 500  # positions that are looked at before all of them are: most drawings are on no grid
EXACT = 1e-3  # of a step: how far from the grid a position may lie
OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])  # ties go outwards: for IoU too large is better than too small
TIE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Lines at `origin` + i · `step`, (4,) each, one for each edge of a box; a step of 0 is no grid on that axis."""

    origin: Floats
    step: Floats

    def nearest(self, boxes: Floats) -> Floats:
        """Boxes (…, 4) with their edges on the grid."""
        step = np.where(self.step > 0, self.step, 1.0)
        at = np.round((boxes - self.origin) / step + TIE * OUTWARD)
        return np.where(self.step > 0, self.origin + at * step, boxes)


def placed(moved: Floats, before: Floats, grid: Grid | None) -> Floats:
    """Moved boxes (…, 4) on the grid, if there is one; those that are no boxes there stay as they were `before`."""
    moved = moved if grid is None else grid.nearest(moved)
    none = closed(moved) | np.any(np.abs(moved) > FARTHEST, axis=-1)
    return np.where(none[..., None], before, moved)


def closed(boxes: Floats) -> Bools:
    """Which boxes (…, 4) end before they begin, or are too narrow to be one; absent ones (NaN) are not."""
    return np.any(boxes[..., 2:] - boxes[..., :2] < SHORTEST, axis=-1)


def find_grid(boxes: Floats) -> Grid | None:
    """The grid on which all edges of the boxes (…, 4) lie, NaN where absent; None where there is none."""
    origin, step = np.zeros(4), np.zeros(4)
    for axis in (0, 1):
        edges = boxes[..., axis::2]
        known = edges[~np.isnan(edges)]
        if (len(known) <= LOOK or _step(known[:: len(known) // LOOK])) and _step(known):
            origin[axis::2], step[axis::2] = known.min(), _step(known)
    return Grid(origin, step) if step.any() else None


def _step(places: Floats) -> float:
    """The smallest distance between two positions (n,), if all others are multiples of it; else 0."""
    places = np.unique(places)
    if len(places) < ENOUGH:
        return 0.0
    least = float(np.diff(places).min())
    at = (places - places[0]) / least
    return least if np.abs(at - np.round(at)).max() <= EXACT else 0.0
