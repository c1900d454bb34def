"""HOTA: how well tracks are found, held together and placed, in one number (Luiten et al. 2020).

Boxes are matched once per frame so that identities that fit over the whole range are preferred; at each of 19 IoU
thresholds the matched pairs that pass count as found. `DetA` is the Jaccard index of the boxes, `AssA` the mean
Jaccard index of the tracks over the matched boxes, `HOTA = sqrt(DetA · AssA)`; all are means over the thresholds.
Equal to trackeval 1.3.0, whose loops over frames and thresholds are histograms over a sparse list here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.core.matching import best_pairs
from annotation.core.overlaps import Overlaps
from annotation.core.tracks import Dense, Floats

THRESHOLDS = np.arange(0.05, 0.99, 0.05)


@dataclass(frozen=True, slots=True, eq=False)
class Hota:
    """One value per threshold, (19,); `found` counts matched boxes."""

    hota: Floats
    deta: Floats
    assa: Floats
    loca: Floats
    found: Floats


def hota(truth: Dense, other: Dense, found: Overlaps) -> Hota:
    """HOTA and its parts from the overlaps of two sets of tracks. Without boxes on one side all are 0, and LocA 1."""
    boxes, others = int(truth.present.sum()), int(other.present.sum())
    zero, one = np.zeros(len(THRESHOLDS)), np.ones(len(THRESHOLDS))
    if not boxes or not others:
        return Hota(zero, zero, zero, one, zero)
    frames_a, frames_b = truth.present.sum(axis=1), other.present.sum(axis=1)
    chosen = best_pairs(*_nodes(truth, other, found), _alignment(truth, other, found) * found.iou)
    pair, index = np.unique(found.left[chosen] * len(other.ids) + found.right[chosen], return_inverse=True)
    passed = np.searchsorted(THRESHOLDS - np.finfo(float).eps, found.iou[chosen], side="right")
    counts = _at_or_above(index, passed, None, len(pair))
    placed = _at_or_above(np.zeros_like(index), passed, found.iou[chosen], 1)[0]
    total = counts.sum(axis=0)
    frames = (frames_a[pair // len(other.ids)] + frames_b[pair % len(other.ids)])[:, None]
    assa = (counts * counts / np.maximum(1, frames - counts)).sum(axis=0) / np.maximum(1, total)
    deta = total / np.maximum(1, boxes + others - total)
    loca = np.maximum(1e-10, placed) / np.maximum(1e-10, total)
    return Hota(np.sqrt(deta * assa), deta, assa, loca, total)


def _nodes(truth: Dense, other: Dense, found: Overlaps) -> tuple[np.ndarray, np.ndarray]:
    """A number for each box: its frame and its track."""
    return found.frame * len(truth.ids) + found.left, found.frame * len(other.ids) + found.right


def _alignment(truth: Dense, other: Dense, found: Overlaps) -> Floats:
    """For each overlap, how well its two tracks fit over the whole range (a Jaccard index before any matching)."""
    left, right = _nodes(truth, other, found)
    both = np.bincount(left, found.iou)[left] + np.bincount(right, found.iou)[right] - found.iou
    pair = found.left * len(other.ids) + found.right
    shared = np.bincount(pair, found.iou / both)[pair]
    return shared / (truth.present.sum(axis=1)[found.left] + other.present.sum(axis=1)[found.right] - shared)


def _at_or_above(row: np.ndarray, passed: np.ndarray, weights: Floats | None, rows: int) -> Floats:
    """(rows, 19): per row, how many (or what weight of) entries pass each threshold; `passed` counts from 0 to 19."""
    width = len(THRESHOLDS) + 1
    table = np.bincount(row * width + passed, weights, minlength=rows * width).astype(float).reshape(rows, width)
    return table[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
