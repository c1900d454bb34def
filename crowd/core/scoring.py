"""The benchmark score: how far a worker's submission is from gold. Never the same number as agreement with others.

Only frames that both cover count. What nobody can be sure of is forgiven (`caring`). Empty gold answered by nothing is
right; anything in it is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import numpy as np

from annotation.core.likeness import inside, intervals_soft_f, together
from annotation.core.matching import match, soft_f, track_iou
from annotation.core.metrics import Metrics, compare
from annotation.core.overlaps import Overlaps, only, overlaps
from annotation.core.piling import heaped
from annotation.core.tracks import Bools, Dense, Floats, Ints, Track, Tracks, fill_all
from crowd.core.caring import drop_ignored, forgive, keep
from crowd.core.skill import Counts

SAME_OBJECT = 0.3  # spatio-temporal IoU from which two tracks are held to mean one object, as in the consensus
MANY = 1 << 14  # pairs of tracks from which heaps are looked for
TO_SIGMA = 1.25  # from the mean absolute error of Gaussian edges to their standard deviation


class NothingInCommon(ValueError):
    """Gold and submission have no frame in common."""


@dataclass(frozen=True, slots=True)
class BenchmarkScore:
    """Shares in [0, 1]; `switches` counts, errors are mean frames off; None where there was nothing to look at.

    `precision`, `recall`, `f1` and `mean_iou` are of boxes found at the floor; `counts` are of objects, by label. Where
    gold says what happens, `soft_track_f` is of its tracks and `intervals` together (see `likeness`), and `interval_f`
    of the intervals alone. Gold that shows tracks and no interval says nothing of what happens.
    """

    soft_track_f: float
    f1: float
    precision: float
    recall: float
    hota: float
    deta: float
    assa: float
    loca: float
    idf1: float
    switches: int
    mean_iou: float | None
    start_error: float | None
    end_error: float | None
    label_accuracy: float | None
    attribute_accuracy: float | None
    intervals: int = 0
    interval_f: float | None = None
    counts: Mapping[str, Counts] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def benchmark(submission: Tracks, gold: Tracks, start: int, stop: int, *, floor: float = 0.5) -> BenchmarkScore:
    """Score a submission against gold on the frames of `[start, stop)` that both speak of; NothingInCommon if none.

    `floor` is the IoU at which a box counts as found. A gold track with the attribute `ignore` is a region where
    boxes are neither asked for nor held against anybody.
    """
    start, stop = max(start, gold.start, submission.start), min(stop, gold.stop, submission.stop)
    if start >= stop:
        raise NothingInCommon(f"gold [{gold.start}, {gold.stop}), submission [{submission.start}, {submission.stop})")
    truth, drawn = fill_all((gold.tracks, submission.tracks), start, stop)
    ignored = np.array([t.attributes.get("ignore") is True for t in gold.tracks], bool)
    shared = _met(truth, drawn)
    pairs = match(track_iou(truth, drawn, labels=False, shared=shared), SAME_OBJECT).pairs
    tracks = [t for t, out in zip(gold.tracks, ignored, strict=True) if not out]
    if ignored.any():
        truth, drawn, pairs = drop_ignored(truth, drawn, ignored, pairs)
        shared = _met(truth, drawn)
    judged, given = forgive(truth, drawn, pairs)
    shared = only(shared, judged.present[shared.left, shared.frame] & given.present[shared.right, shared.frame])
    figures = _figures(compare(judged, given, floor=floor, labels=True, shared=shared), judged, given)
    meant = [(tracks[i], submission.tracks[j]) for i, j in pairs]
    same = [a.label == b.label for a, b in meant]
    both = [(np.flatnonzero(truth.present[i] & drawn.present[j]) + start).tolist() for i, j in pairs]
    alike, shown = _soft_f(judged, given, shared)
    happened, told = (inside(source.intervals, start, stop) for source in (gold, submission))
    timed = bool(happened) or not shown
    return BenchmarkScore(
        soft_track_f=together(alike, shown, told, happened) if timed else alike,
        intervals=len(happened),
        interval_f=intervals_soft_f(told, happened) if timed and (told or happened) else None,
        **figures,
        start_error=_off(truth.present, drawn.present, pairs),
        end_error=_off(truth.present[:, ::-1], drawn.present[:, ::-1], pairs),
        label_accuracy=_mean(same),
        attribute_accuracy=_mean([x for (a, b), at in zip(meant, both, strict=True) for x in _attributes(a, b, at)]),
        counts=_counts(judged, given, pairs),
    )


def _met(truth: Dense, drawn: Dense) -> Overlaps:
    """Where what was drawn lies on what is true. Of what is heaped up in one place a few are looked at; all count as
    drawn, so that the rest are inventions."""
    if len(truth.ids) * len(drawn.ids) <= MANY:
        return overlaps(truth, drawn)
    few = ~heaped(drawn.boxes, drawn.present)
    return overlaps(truth, keep(drawn, np.broadcast_to(few[:, None], drawn.present.shape)))


def _figures(got: Metrics, truth: Dense, drawn: Dense) -> dict[str, Any]:
    """What of the metrics a score keeps; nothing where nothing is asked for is all right."""
    shares = ("precision", "recall", "hota", "deta", "assa", "loca", "idf1")
    boxes, drawings = bool(truth.present.any()), bool(drawn.present.any())
    if not boxes and not drawings:
        return {**dict.fromkeys(shares, 1.0), "f1": 1.0, "switches": 0, "mean_iou": None}
    figures = {name: getattr(got, name) for name in shares} | {"recall": got.recall if boxes else 1.0}
    f1 = 2 * got.found / max(1, 2 * got.found + got.missed + got.invented)
    return {**figures, "f1": f1, "switches": got.switches, "mean_iou": got.mean_iou if got.found else None}


def _soft_f(truth: Dense, drawn: Dense, shared: Overlaps) -> tuple[float, int]:
    """Soft track F, and of how many tracks, without those of which nothing is left to judge."""
    similarity = track_iou(truth, drawn, shared=shared)
    left = similarity[np.ix_(truth.present.any(axis=1), drawn.present.any(axis=1))]
    return soft_f(left), sum(left.shape)


def _off(truth: Bools, drawn: Bools, pairs: Ints) -> float | None:
    """Mean frames between the first presences of paired tracks that are all somewhere; None without any."""
    firsts = truth.argmax(axis=1)[pairs[:, 0]] - drawn.argmax(axis=1)[pairs[:, 1]]
    return float(np.abs(firsts).mean()) if len(pairs) else None


def _mean(values: list[Any]) -> float | None:
    return float(np.mean(values)) if values else None


def _attributes(gold: Track, drawn: Track, frames: Sequence[int]) -> list[float]:
    """For each attribute that gold sets, the share of the frames that show both (or 0 or 1) with gold's value."""
    out = [float(drawn.attributes.get(name) == value) for name, value in gold.attributes.items() if name != "ignore"]
    for name in sorted({name for change in gold.changes.values() for name in change}):
        a, b = _value_at(gold, name), _value_at(drawn, name)
        known = [f for f in frames if a(f) is not None]
        out.extend([float(np.mean([a(f) == b(f) for f in known]))] if known else [])
    return out


def _value_at(track: Track, name: str) -> Callable[[int], Any]:
    """The value of a mutable attribute by frame; None before it is first set."""
    at = sorted(frame for frame, change in track.changes.items() if name in change)
    values = [track.changes[frame][name] for frame in at]

    def value(frame: int) -> Any:
        place = int(np.searchsorted(at, frame, side="right"))
        return values[place - 1] if place else None

    return value


def _counts(truth: Dense, drawn: Dense, pairs: Ints) -> dict[str, Counts]:
    """Objects, found ones and inventions by label; what is not matched to an object counts under its own label."""
    rows: Bools = np.any(truth.present, axis=1)
    columns: Bools = np.any(drawn.present, axis=1)
    found, taken = np.zeros(len(rows), bool), np.zeros(len(columns), bool)
    spreads: dict[str, list[float]] = {}
    found[pairs[:, 0]], taken[pairs[:, 1]] = True, True
    for i, off in zip(pairs[:, 0].tolist(), _spreads(truth.boxes, drawn.boxes, pairs).tolist(), strict=True):
        spreads.setdefault(truth.labels[i], []).extend([off] if off == off else [])
    out = {}
    for label in sorted({*truth.labels, *drawn.labels}):
        ours = np.array([has == label for has in truth.labels], bool) & rows
        theirs = np.array([has == label for has in drawn.labels], bool) & columns
        error = spreads.get(label)
        out[label] = Counts(
            float(ours.sum()),
            float((ours & found).sum()),
            float((theirs & ~taken).sum()),
            median(error) if error else None,
        )
    return out


def _spreads(truth: Floats, drawn: Floats, pairs: Ints) -> Floats:
    """The usual error of an edge as a share of its side, over the common frames of pairs (p, 2); NaN without any."""
    a, b = truth[pairs[:, 0]], drawn[pairs[:, 1]]
    side = np.maximum(a[..., 2:] - a[..., :2], 1.0)
    apart = np.abs(a - b)
    apart[..., :2] /= side
    apart[..., 2:] /= side
    off = (apart[..., 0] + apart[..., 1] + apart[..., 2] + apart[..., 3]) / 4
    return _medians(np.where(np.isnan(off), np.inf, off)) * TO_SIGMA


def _medians(values: Floats) -> Floats:
    """The median of each row's finite values, (p, n) → (p,); NaN where there are none. For all rows at once."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    rows = np.arange(len(ordered))
    middle = (
        ordered[rows, np.maximum(count - 1, 0) // 2] + ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    ) / 2
    return np.where(count > 0, middle, np.nan)
