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

from annotation.core.tracks import Bools, Floats, Ints, Track

STEP = 5  # frames over which movement is measured: noise of neighbouring keyframes is none
LOOKS = 100  # frames at which it is looked at, of a long segment
USUAL = 0.06  # sides a frame up to which times are those of a usual video
APART = 10.0  # frames from one keyframe to the next of a usual drawing
SHORTEST = 0.2  # times are shortened to this share at most


def time_scale(owners: Ints, boxes: Floats, present: Bools, tracks: Sequence[Track]) -> float:
    """The share of usual times that things take here, above 0 and at most 1; 1 where nothing is known.

    `owners` (t,) names the worker of each of the tracks, `boxes` (t, n, 4) are NaN where not `present` (t, n).
    """
    frames = present.shape[1]
    at = np.arange(0, frames - STEP, 1 + frames // LOOKS)
    track, look = np.nonzero(present[:, at] & present[:, at + STEP])
    if not len(track):
        return 1.0
    early, late = boxes[track, at[look]], boxes[track, at[look] + STEP]
    moved = np.hypot(*((late[:, :2] + late[:, 2:] - early[:, :2] - early[:, 2:]) / 2).T)
    side = np.sqrt(np.maximum(late[:, 2] - late[:, 0], 1.0) * np.maximum(late[:, 3] - late[:, 1], 1.0))
    speed = _usual(owners[track], np.minimum(moved / side / STEP, 1.0), np.ones(len(track)))
    spans = np.array([track.frames[-1] - track.frames[0] for track in tracks], float)
    apart = _usual(owners, spans, np.array([len(track.frames) - 1.0 for track in tracks]))
    return float(np.clip(max(USUAL / max(speed, 1e-9), apart / APART), SHORTEST, 1.0))


def _usual(owners: Ints, sums: Floats, counts: Floats) -> float:
    """The median of workers' means: spammers' boxes stand still, or are anywhere."""
    total, count = np.bincount(owners, sums), np.bincount(owners, counts)
    return float(np.median(total[count > 0] / count[count > 0])) if (count > 0).any() else 0.0
