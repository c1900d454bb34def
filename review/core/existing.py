"""Does an object exist? By a quorum of those who are trusted, or by the odds that their skills give it.

Odds: everybody who saw the segment has a say, those who drew the object by how much likelier they are to draw what is
there than what is not, those who did not by the reverse (Branson 2017 after Dawid & Skene 1979).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.core.tracks import Bools, Floats

SUPPORT = 0.2  # of the frames of whoever drew most of an object, to count as having drawn it
HIT, FALSE_ALARM = 0.9, 0.05  # of a worker of whom nothing is known
PRIOR = 0.5  # share of clusters that are objects, where nothing was learnt


def supporters(drawn: Bools) -> Bools:
    """Who drew an object, (k, w), from the frames on which each did, (k, w, n): more than a sliver of it."""
    frames = drawn.sum(axis=2)
    return (frames > 0) & (frames >= SUPPORT * frames.max(axis=1, keepdims=True, initial=0))


def log_odds(votes: Bools, hits: Floats, false_alarms: Floats, prior: float = PRIOR) -> Floats:
    """Logarithm of the odds that each object exists, (k, w) → (k,).

    `hits` (w,) is the chance that a worker draws what is there, `false_alarms` (w,) what is not.
    """
    hit, false = np.clip(hits, 0.01, 0.99), np.clip(false_alarms, 0.01, 0.99)
    drew, not_drew = np.log(hit / false), np.log((1 - hit) / (1 - false))
    return np.log(prior / (1 - prior)) + votes @ drew + ~votes @ not_drew


def vote_counts(votes: Bools, workers: Sequence[str]) -> Bools:
    """Votes of persons, (k, p): two submissions of one worker are one vote."""
    names = sorted(set(workers))
    return np.stack([votes[:, [w == name for w in workers]].any(axis=1) for name in names], axis=1)
