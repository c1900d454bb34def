"""Two releases side by side: which tracks came, went and changed, and by how much."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.formats.content import PART_FRAMES
from review.assembling import Whole
from review.core.objects import Object
from review.errors import NotReady
from review.lifecycle import WorkStatus
from review.models import Release, Stitch


def diff(*, before: Release, after: Release) -> list[dict[str, Any]]:
    """For each video: tracks added, gone and changed, by their numbers, which say who is who in both. NotReady.

    A changed track has `frames` on which just one release shows it, `moved` ones on which both do and the boxes differ,
    and the mean `iou` over the frames that both show (null where there are none).
    """
    old, new = _stitches(before), _stitches(after)
    return [_diff(video, old.get(video), new.get(video)) for video in sorted(old.keys() | new.keys())]


def _stitches(release: Release) -> dict[str, Whole]:
    if release.status != WorkStatus.READY or release.content is None:
        raise NotReady
    rows = Stitch.objects.select_related("video").in_bulk(list(release.content["videos"].values()))
    return {video: Whole(rows[stitch]) for video, stitch in release.content["videos"].items()}


def _diff(video: str, old: Whole | None, new: Whole | None) -> dict[str, Any]:
    was, now = old.objects if old else {}, new.objects if new else {}
    same = old is not None and new is not None and old.row.pk == new.row.pk
    changed = [] if same or old is None or new is None else _changed(old, new)
    return {
        "video": video,
        "added": [_track(now[n]) for n in now if n not in was],
        "gone": [_track(was[n]) for n in was if n not in now],
        "changed": changed,
        "unchanged": len(was.keys() & now.keys()) - len(changed),
    }


def _track(found: Object) -> dict[str, Any]:
    return {"track": found.number, "label": found.label, "start": found.start, "stop": found.stop}


def _changed(old: Whole, new: Whole) -> list[dict[str, Any]]:
    both = sorted(old.objects.keys() & new.objects.keys())
    sums = np.zeros((len(both), 4))  # frames of one alone, moved, shown by both, summed IoU
    frames = new.row.video.frame_count or 0
    for start in range(0, frames, PART_FRAMES):
        sums += _measure(old, new, both, start, min(start + PART_FRAMES, frames))
    return [
        _track(new.objects[n])
        | {
            "was": old.objects[n].label,
            "frames": int(alone),
            "moved": int(moved),
            "iou": iou / shared if shared else None,
        }
        for n, (alone, moved, shared, iou) in zip(both, sums.tolist(), strict=True)
        if alone or moved or _said(old.objects[n]) != _said(new.objects[n])
    ]


def _said(found: Object) -> tuple[Any, ...]:
    return found.label, dict(found.attributes), dict(found.changes)


def _measure(old: Whole, new: Whole, both: list[int], start: int, stop: int) -> Any:
    (was, a), (now, b) = (whole.boxes(both, start, stop) for whole in (old, new))
    shared = a & b
    iou = np.where(shared, iou_aligned(was, now), 0.0)
    moved = shared & np.any(np.abs(np.nan_to_num(was) - np.nan_to_num(now)) > 1e-6, axis=2)
    return np.stack([(a ^ b).sum(1), moved.sum(1), shared.sum(1), iou.sum(1)], axis=1)
