"""Objects that were exchanged when they met, where at most two workers are there to tell.

Idea: two who exchange their places break course, pace and size at once; the same measure as in `untangling`, taken at
the start, the height and the end of every meeting of two tracks. Only a break that outweighs the workers' usual care
is mended. Three who agree are not overruled.
"""

from __future__ import annotations

import numpy as np

from annotation.core.overlaps import overlaps
from annotation.core.tracks import Dense, Floats, Ints
from review.core.coursing import course_breaks, usual_errors
from review.core.membership import Members
from review.core.stacking import Stack
from review.core.untangling import BREAK, RIGHT

MEETING = 0.3  # IoU from which two objects can be mistaken for each other
MOST_WORKERS = 2
SURE = 1.5  # log odds by which the exchange must be the likelier story


def mend(stack: Stack, member: Ints) -> Ints:
    """Clusters of one or two workers' tracks, (t, n), with what was exchanged put right."""
    meetings = _meetings(stack) if stack.workers <= MOST_WORKERS else []
    if not meetings:
        return member
    found = Members(member.copy())
    usual = usual_errors(stack, member)
    for one, two, frames in meetings:
        gains = _gains(stack, found, (one, two), np.array(frames), usual)
        gain, frame = max(zip(gains.tolist(), frames, strict=True))
        if gain > SURE:
            a, b = (int(found.member[row, max(0, frame - 1)]) for row in (one, two))
            tracks = found.tracks((a, b))
            paths = found.member[tracks]
            late = paths[:, frame:]
            first, second = late == a, late == b
            late[first], late[second] = b, a
            found.put(tracks, paths)
    return found.member


def _meetings(stack: Stack) -> list[tuple[int, int, tuple[int, ...]]]:
    """Two tracks, and the frames on which they begin to overlap, overlap most and part; by frame."""
    names = ("",) * len(stack.tracks)
    dense = Dense(stack.start, names, names, stack.boxes, stack.present, stack.occluded)
    met = overlaps(dense, dense)
    close = (met.left < met.right) & (met.iou > MEETING) & (stack.owners[met.left] == stack.owners[met.right])
    left, right, frame, iou = (a[close] for a in (met.left, met.right, met.frame, met.iou))
    order = np.lexsort((frame, right, left))
    left, right, frame, iou = left[order], right[order], frame[order], iou[order]
    new = np.ones(len(left), bool)
    new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1]) | (frame[1:] > frame[:-1] + 1)
    out = []
    for at in np.split(np.arange(len(left)), np.flatnonzero(new)[1:]):
        if len(at):
            frames = (int(frame[at[0]]), int(frame[at[iou[at].argmax()]]), int(frame[at[-1]]))
            out.append((int(left[at[0]]), int(right[at[0]]), frames))
    return sorted(out, key=lambda m: (m[2][1], m[0], m[1]))


def _gains(stack: Stack, members: Members, pair: tuple[int, int], frames: Ints, usual: Floats) -> Floats:
    """Log odds that two tracks were exchanged at each of some frames; −inf where nothing speaks for it."""
    clusters = members.member[list(pair)][:, np.maximum(0, frames - 1)].T
    tracks = members.tracks(clusters.ravel().tolist())
    at = np.stack([frames, frames], axis=1)
    found = course_breaks(stack, tracks, members.member[tracks], clusters, at, usual)
    straight, crossed = found[:, 0, 0] + found[:, 1, 1], found[:, 0, 1] + found[:, 1, 0]
    gains = BREAK * (straight - crossed) - 2 * RIGHT * stack.workers
    open_ = (clusters.min(axis=1) >= 0) & (clusters[:, 0] != clusters[:, 1]) & ~np.isnan(gains)
    return np.where(open_, gains, -np.inf)
