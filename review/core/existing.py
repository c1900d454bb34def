"""Does an object exist? By a quorum of those who are trusted, or by the odds that their skills give it.

Odds, as in tracking with clutter: an object is there and some of the workers who saw the segment drew it, each with the
chance that they find what is there; or one of them invented it, and whoever else drew it there did so by coincidence.
Some objects are hard for everybody, so that misses go together: odds are mixed over easy and hard ones. And inventions
may last longer or shorter than objects do: how long each lasts is learnt from what many drew and what one did.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Floats, Ints

SUPPORT = 0.2  # of the frames of whoever drew most of an object, to count as having drawn it
HIT, FALSE_ALARM = 0.8, 0.1  # of a worker of whom nothing is known
COINCIDENCE = 0.02  # chance that another worker's invention lies in the same place at the same time
HARD, HARDER = 0.2, 3.0  # share of brief objects that are hard, and how many times as often they are missed
BRIEF = 8  # frames; of those that are there for longer fewer are hard, since somebody sees them at some time
MOST_MISSED = 0.9
TWICE = 0.6  # mean IoU of two drawings of one worker from which they may be of one object
LENGTHS = (8, 16, 32, 64, 128, 256)  # frames that part the brief from the long
PRIOR_LENGTHS = 6.0  # how many objects and inventions of some length it takes to believe half of what they say


def supporters(drawn: Bools) -> Bools:
    """Who drew an object, (k, w), from the frames on which each did, (k, w, n): more than a sliver of it."""
    frames = drawn.sum(axis=2)
    return (frames > 0) & (frames >= SUPPORT * frames.max(axis=1, keepdims=True, initial=0))


def drawn_twice(boxes: Floats, drawn: Bools, named: Bools) -> Bools:
    """Which clusters (k,) are a second drawing of what another one is, from boxes (k, w, n, 4) and where there are any.

    All who drew it drew the other one in the same place under the same label, and at least as many more drew only that
    one. `named` (k, w, l) says who gave a cluster which label.
    """
    there: Bools = np.any(drawn, axis=2)
    count = there.sum(axis=1)
    twice = np.zeros(len(drawn), bool)
    for k in np.flatnonzero((count > 0) & (2 * count <= count.max(initial=0))).tolist():
        who = np.flatnonzero(there[k])
        larger = np.flatnonzero((2 * count[k] <= count) & there[:, who].all(axis=1))
        those = np.ix_(larger, who)
        alike = np.nan_to_num(iou_aligned(boxes[those], boxes[k, who])).sum(axis=2) / drawn[k, who].sum(axis=1)
        same = (alike >= TWICE) & (named[those] & named[k, who]).any(axis=2)
        twice[k] = same.all(axis=1).any()
    return twice


def log_odds(
    votes: Bools,
    hits: Floats,
    false_alarms: Floats,
    frames: Ints,
    asked: Bools | None = None,
    coincidence: float = COINCIDENCE,
) -> Floats:
    """Logarithm of the odds that each cluster is an object, (k, w) → (k,); it is there on so many `frames` (k,).

    `hits` (w,) is the chance that a worker draws what is there, `false_alarms` (w,) the share of what a worker draws
    that is not, `coincidence` the chance that another invention lies where one does. `asked` (k, w) says who saw the
    segment, everybody unless given; clusters that nobody drew have −inf.
    """
    hit = np.clip(hits, 0.02, 0.98)
    clutter = np.clip(false_alarms, 0.005, 0.98)
    clutter = hit * clutter / (1 - clutter)
    silent = ~votes if asked is None else asked & ~votes
    misses = np.minimum(np.stack([1 - hit, HARDER * (1 - hit)]), MOST_MISSED)
    there = votes @ np.log1p(-misses.T) + silent @ np.log(misses.T)
    hard = HARD * np.minimum(1.0, BRIEF / np.maximum(frames, 1))
    there = np.logaddexp(there[:, 0] + np.log1p(-hard), there[:, 1] + np.log(hard))
    with np.errstate(divide="ignore"):
        invented = np.log(votes @ clutter) + (votes.sum(axis=1) - 1) * np.log(coincidence)
    return np.where(votes.any(axis=1), there - invented, -np.inf)


def length_odds(frames: Ints, real: Floats, blame: Floats) -> Floats:
    """Log odds that a cluster is an object rather than an invention by how long it is there, (7,), as `LENGTHS` part.

    Per cluster its `frames` (c,), the chance that it is `real` (c,), and how far an invention says something (c,):
    those of people who draw nothing else, spammers, are of another kind.
    """
    classes = len(LENGTHS) + 1
    at = np.searchsorted(LENGTHS, frames, side="right")
    counts = np.stack([np.bincount(at, weight, classes) for weight in (real, (1 - real) * blame)])
    usual = (counts.sum(axis=0) + 1) / (counts.sum() + classes)
    shares = (counts + PRIOR_LENGTHS * usual) / (counts.sum(axis=1, keepdims=True) + PRIOR_LENGTHS)
    seen = counts.sum(axis=0)  # a length that hardly anything had says hardly anything
    return np.log(shares[0] / shares[1]) * seen / (seen + PRIOR_LENGTHS)


def odds_by_length(frames: Ints, votes: Bools, lengths: Sequence[Sequence[float]]) -> Floats:
    """What the lengths of clusters (k,) add to their log odds, (k,): the mean of what is known of those who drew them.

    `votes` (k, w); `lengths`, one by worker, are of `length_odds`; of any other number of classes nothing is known.
    """
    classes = len(LENGTHS) + 1
    table = np.array([own if len(own) == classes else (np.nan,) * classes for own in lengths]).reshape(-1, classes)
    said = table[:, np.searchsorted(LENGTHS, frames, side="right")].T
    heard = votes & ~np.isnan(said)
    return np.where(heard, said, 0.0).sum(axis=1) / np.maximum(heard.sum(axis=1), 1)


def vote_counts(votes: Bools, workers: Sequence[str]) -> Bools:
    """Votes of persons, (k, p): two submissions of one worker are one vote."""
    names = sorted(set(workers))
    return np.stack([votes[:, [w == name for w in workers]].any(axis=1) for name in names], axis=1)
