"""How far one set of tracks is from another that is held to be true: HOTA, CLEAR MOT and identity figures.

HOTA: Luiten 2020. MOTA, identity switches: Bernardin 2008 with the matching rule of MOTChallenge (a pair of the frame
before is kept as long as it passes). IDF1: Ristani 2016. All equal to trackeval 1.3.0, also in what it makes of empty
sets: nothing against nothing is 0 here, and only `crowd.core.scoring` gives a worker credit for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from annotation.core.hota import hota
from annotation.core.matching import best_pairs, match, same_label
from annotation.core.overlaps import Overlaps, only, overlaps
from annotation.core.ranges import ranges
from annotation.core.tracks import Bools, Dense, Ints

_EPS = np.finfo(float).eps


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one comparison. Shares are 0 to 1 (`mota` may be negative), the rest are counts of boxes.

    `precision`, `recall`, `mean_iou` and the counts are those of the boxes matched at the floor, frame by frame.
    """

    hota: float
    deta: float
    assa: float
    loca: float
    mota: float
    idf1: float
    idp: float
    idr: float
    precision: float
    recall: float
    mean_iou: float
    switches: int
    found: int
    missed: int
    invented: int


def compare(
    truth: Dense, other: Dense, *, floor: float = 0.5, labels: bool = False, shared: Overlaps | None = None
) -> Metrics:
    """All figures of `other` against `truth`, filled over the same frames (else RangesDiffer).

    `floor` is the IoU at which a box counts as found in CLEAR and identity figures. With `labels`, boxes of tracks of
    different labels never match; without, labels do not matter. `shared` are the overlaps of the two, if known.
    """
    shared = overlaps(truth, other) if shared is None else shared
    if labels:
        shared = only(shared, same_label(truth, other)[shared.left, shared.right])
    boxes, others = int(truth.present.sum()), int(other.present.sum())
    curves = hota(truth, other, shared)
    partner = follow(truth, other, shared, floor)
    found, switches, near = int((partner >= 0).sum()), count_switches(partner), _mean_iou(shared, partner)
    kept = _identity_matches(shared, (len(truth.ids), len(other.ids)), floor)
    means = {k: float(getattr(curves, k).mean()) for k in ("hota", "deta", "assa", "loca")}
    return Metrics(
        **means,
        mota=(2 * found - others - switches) / boxes if boxes and others else 0.0,
        idf1=2 * kept / max(1, boxes + others),
        idp=kept / max(1, others),
        idr=kept / max(1, boxes),
        precision=found / max(1, others),
        recall=found / max(1, boxes),
        mean_iou=near,
        switches=switches,
        found=found,
        missed=boxes - found,
        invented=others - found,
    )


def compare_by_label(truth: Dense, other: Dense, *, floor: float = 0.5) -> dict[str, Metrics]:
    """`compare` for each label that occurs, on its tracks alone."""
    return {
        label: compare(of_label(truth, label), of_label(other, label), floor=floor)
        for label in sorted({*truth.labels, *other.labels})
    }


def of_label(tracks: Dense, label: str) -> Dense:
    """The tracks with that label."""
    return select(tracks, [i for i, has in enumerate(tracks.labels) if has == label])


def select(tracks: Dense, rows: Iterable[int]) -> Dense:
    """Some of the tracks, by their rows."""
    at = list(rows)
    return replace(
        tracks,
        ids=tuple(tracks.ids[i] for i in at),
        labels=tuple(tracks.labels[i] for i in at),
        boxes=tracks.boxes[at],
        present=tracks.present[at],
        occluded=tracks.occluded[at],
    )


def follow(truth: Dense, other: Dense, shared: Overlaps, floor: float = 0.5) -> Ints:
    """(n, frames): the row of `other` that each true track is matched with on each frame, -1 for none.

    Among pairs at or above `floor`, those of the frame before come first, then the greatest sum of IoU. Only where
    two boxes compete does the frame before matter, so only there is anything solved.
    """
    near = only(shared, shared.iou >= floor - _EPS)
    partner = np.full(truth.present.shape, -1, np.int64)
    if not len(near.iou):
        return partner
    left, right = near.frame * len(truth.ids) + near.left, near.frame * len(other.ids) + near.right
    alone = (np.bincount(left)[left] == 1) & (np.bincount(right)[right] == 1)
    partner[near.left[alone], near.frame[alone]] = near.right[alone]
    seen = np.flatnonzero(truth.present.any(axis=0) & other.present.any(axis=0))
    usual = np.full(len(truth.ids), -1)
    row, column = match(_count_pairs(near, (len(truth.ids), len(other.ids)))).pairs.T
    usual[row] = column
    rivals = only(near, ~alone)
    _settle(partner, rivals, left[~alone], right[~alone], seen, usual[rivals.left] == rivals.right)
    return partner


def _settle(partner: Ints, rivals: Overlaps, left: Ints, right: Ints, seen: Ints, guess: Bools) -> None:
    """Fill `partner` where boxes compete (`left` and `right` number them), `seen` being the frames with both sides.

    All frames are solved at once on a guess of who was paired in the frame before, and again where it was wrong. What
    does not move any more is the frame-by-frame answer, since each frame then follows from the one before it. Where
    hundreds compete an error may go on from frame to frame, so only what follows on what was solved is looked at again.
    """
    place = np.searchsorted(seen, rivals.frame)
    listed, first = np.argsort(place, kind="stable"), np.cumsum(np.bincount(place + 1, minlength=len(seen) + 1))
    before = seen[np.maximum(place - 1, 0)]
    kept = guess & (place > 0)
    again = asked = np.arange(len(rivals.iou))
    while len(again):
        one, other = (np.unique(nodes[again], return_inverse=True)[1] for nodes in (left, right))
        chosen = again[best_pairs(one, other, 1000.0 * kept[again] + rivals.iou[again])]
        partner[rivals.left[again], rivals.frame[again]] = -1
        partner[rivals.left[chosen], rivals.frame[chosen]] = rivals.right[chosen]
        now = (partner[rivals.left[asked], before[asked]] == rivals.right[asked]) & (place[asked] > 0)
        moved = np.unique(place[asked[now != kept[asked]]])
        kept[asked] = now
        again, asked = (
            np.sort(listed[ranges(first[some], first[some + 1] - first[some])[1]])
            for some in (moved, moved[moved < len(seen) - 1] + 1)
        )


def count_switches(partner: Ints) -> int:
    """How often a true track changes its partner, absences between them or not; `partner` as `follow` gives it."""
    track, frame = np.nonzero(partner >= 0)
    who = partner[track, frame]
    return int(((np.diff(track) == 0) & (np.diff(who) != 0)).sum())


def _mean_iou(shared: Overlaps, partner: Ints) -> float:
    chosen = partner[shared.left, shared.frame] == shared.right
    return float(shared.iou[chosen].mean()) if chosen.any() else 0.0


def _identity_matches(shared: Overlaps, shape: tuple[int, int], floor: float) -> int:
    """Boxes at or above `floor` in the one to one pairing of whole tracks that has most of them."""
    counts = _count_pairs(only(shared, shared.iou >= floor), shape)
    row, column = match(counts).pairs.T
    return int(counts[row, column].sum())


def _count_pairs(near: Overlaps, shape: tuple[int, int]) -> Ints:
    """(n, m): on how many frames two tracks are near."""
    return np.bincount(near.left * shape[1] + near.right, minlength=shape[0] * shape[1]).reshape(shape)
