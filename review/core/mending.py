"""Objects that one worker exchanged when they met, where no other worker is left to tell.

Idea: two who exchange their places break course, pace and size at once; the same measure as in `untangling`, taken at
the start, the height and the end of every meeting of two tracks. Only a break that outweighs a worker's usual care is
mended.
"""

from __future__ import annotations

import numpy as np

from annotation.core.overlaps import overlaps
from annotation.core.tracks import Dense, Floats, Ints
from review.core.stacking import Stack
from review.core.untangling import BREAK, RIGHT, course, course_break, usual_errors

MEETING = 0.3  # IoU from which two objects can be mistaken for each other
SURE = 1.5  # log odds by which the exchange must be the likelier story


def mend(stack: Stack, member: Ints) -> Ints:
    """Tracks of one worker, (t, n), with what was exchanged put right."""
    member = member.copy()
    meetings = _meetings(stack)
    usual = usual_errors(stack, member) if meetings else np.zeros(3)
    for one, two, frames in meetings:
        scores = [(_gain(stack, member, (one, two), frame, usual), frame) for frame in frames]
        gain, frame = max(scores)
        if gain > SURE:
            late = member[:, frame:]
            a, b = (member[row, max(0, frame - 1)] for row in (one, two))
            first, second = late == a, late == b
            late[first], late[second] = b, a
    return member


def _meetings(stack: Stack) -> list[tuple[int, int, tuple[int, ...]]]:
    """Two tracks, and the frames on which they begin to overlap, overlap most and part; by frame."""
    names = ("",) * len(stack.tracks)
    dense = Dense(stack.start, names, names, stack.boxes, stack.present, stack.occluded)
    met = overlaps(dense, dense)
    close = (met.left < met.right) & (met.iou > MEETING)
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


def _gain(stack: Stack, member: Ints, pair: tuple[int, int], frame: int, usual: Floats) -> float:
    """Log odds that two tracks were exchanged at a frame."""
    a, b = (int(member[row, max(0, frame - 1)]) for row in pair)
    if min(a, b) < 0:
        return -np.inf
    before = [course(stack, member, k, frame, early=True) for k in (a, b)]
    after = [course(stack, member, k, frame, early=False) for k in (a, b)]
    straight = course_break(before[0], after[0], usual) + course_break(before[1], after[1], usual)
    crossed = course_break(before[0], after[1], usual) + course_break(before[1], after[0], usual)
    gain = BREAK * (straight - crossed) - 2 * RIGHT
    return -np.inf if np.isnan(gain) else float(gain)
