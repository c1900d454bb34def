"""How fast things happen in a segment: what "some frames" means, which a video of few frames a second has few of.

Who meets whom, and how long that lasts, is a matter of movement: people who pass each other in ten frames of a usual
video do so in one of a video that has two frames a second. Times are therefore given in frames of a usual video, and
shortened by the time scale where the drawn objects move by more of their side from one frame to the next. But nobody
says what happens between two keyframes: where those are far apart, so is what is told of a meeting. Nothing but the
drawings is asked: files name no frame rate, and a camera that moves hurries like people do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.core.tracks import Floats, Ints, Track

STEP = 5  # frames over which movement is measured: noise of neighbouring keyframes is none
LOOKS = 100  # frames at which it is looked at, of a long segment
USUAL = 0.06  # sides a frame up to which times are those of a usual video
APART = 10.0  # frames from one keyframe to the next of a usual drawing
SHORTEST = 0.2  # times are shortened to this share at most


def time_scale(owners: Ints, boxes: Floats, tracks: Sequence[Track], start: int) -> float:
    """The share of usual times that things take here, above 0 and at most 1; 1 where nothing is known.

    `owners` (t,) names the worker of each of the `tracks`, `boxes` (t, n, 4), NaN where absent, are theirs from the
    frame `start` on. Spammers' boxes stand still, or are anywhere: the median worker tells.
    """
    frames = boxes.shape[1]
    at = np.arange(0, frames - STEP, 1 + frames // LOOKS)
    early, late = boxes[:, at], boxes[:, at + STEP]
    moved = np.hypot(*np.moveaxis(late[..., :2] + late[..., 2:] - early[..., :2] - early[..., 2:], -1, 0)) / 2
    sides = np.maximum(late[..., 2:] - late[..., :2], 1.0)
    speeds = np.minimum(moved / np.sqrt(sides[..., 0] * sides[..., 1]) / STEP, 1.0)
    gaps = [np.diff(np.clip(t.frames, start, start + frames - 1))[~t.outside[:-1]] for t in tracks]
    found = []
    for owner in np.unique(owners):
        mine = owners == owner
        some = speeds[mine][~np.isnan(speeds[mine])]
        apart = np.concatenate([gap for gap, own in zip(gaps, mine, strict=True) if own])
        if len(some):
            found.append((_of_movers(some), float(np.median(apart[apart > 0])) if (apart > 0).any() else 0.0))
    if not found:
        return 1.0
    speed, apart = np.median(np.array(found), axis=0).tolist()
    return round(min(1.0, max(USUAL / max(speed, USUAL), apart / APART, SHORTEST)), 3)  # no rounding error decides


def _of_movers(speeds: Floats) -> float:
    """The mean speed in which each box counts as much as it moves, so that parked cars hold nobody up."""
    total = float(speeds.sum())
    return float((speeds**2).sum()) / total if total > 0 else 0.0
