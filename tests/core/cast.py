"""What the tests of the pure core share: real truth as Tracks, and figures by the published implementation."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from annotation.core.metrics import select
from annotation.core.tracks import Dense, Track, Tracks, make_track

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TRACKWEAVE_SHARED", ROOT / ".." / "shared"))
DATA = SHARED / "data"
SEQUENCES = sorted(f"{p.parent.parent.name}/{p.parent.name}" for p in DATA.glob("mot1?/*/gt.txt"))
needs_data = pytest.mark.skipif(not SEQUENCES, reason="../shared/data is not there")


def sequence(name: str) -> Tracks:
    """The ground truth of a MOTChallenge sequence; frames from 0, a keyframe on every frame, gaps are `outside`."""
    rows = np.loadtxt(DATA / name / "gt.txt", delimiter=",", ndmin=2)
    if rows.shape[1] == 9:
        rows = rows[(rows[:, 6] == 1) & (rows[:, 7] == 1)]
    stop = int(rows[:, 0].max())
    tracks = [_track(str(int(i)), rows[rows[:, 1] == i], stop) for i in np.unique(rows[:, 1])]
    return Tracks(0, stop, tuple(tracks))


def _track(name: str, rows: np.ndarray, stop: int) -> Track:
    rows = rows[np.argsort(rows[:, 0])]
    frames = rows[:, 0].astype(int) - 1
    boxes = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    left = frames[np.diff(np.append(frames, stop)) > 1] + 1
    left = left[left < stop]
    at = np.concatenate([frames, left])
    points = np.concatenate([boxes, np.full((len(left), 4), np.nan)])
    return make_track(name, "person", at, points, outside=np.arange(len(at)) >= len(frames))


def as_trackeval(truth: Dense, other: Dense) -> dict:
    """The data that trackeval's metrics take, its own similarities included."""
    from trackeval.datasets._base_dataset import _BaseDataset

    truth, other = (select(d, np.flatnonzero(d.present.any(axis=1))) for d in (truth, other))
    frames = range(truth.present.shape[1])
    ours = [np.flatnonzero(truth.present[:, f]) for f in frames]
    theirs = [np.flatnonzero(other.present[:, f]) for f in frames]
    return {
        "num_timesteps": len(frames),
        "num_gt_dets": int(truth.present.sum()),
        "num_tracker_dets": int(other.present.sum()),
        "num_gt_ids": len(truth.ids),
        "num_tracker_ids": len(other.ids),
        "gt_ids": ours,
        "tracker_ids": theirs,
        "similarity_scores": [
            _BaseDataset._calculate_box_ious(truth.boxes[i, f], other.boxes[j, f], box_format="x0y0x1y1")
            for f, (i, j) in enumerate(zip(ours, theirs, strict=True))
        ],
    }


def by_trackeval(data: dict) -> dict[str, float]:
    """HOTA, CLEAR and identity figures of one sequence, under the names of our Metrics."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    quiet = {"PRINT_CONFIG": False}
    hota, clear, identity = (m.eval_sequence(data) for m in (HOTA(), CLEAR(quiet), Identity(quiet)))
    out = {key.lower(): float(hota[key].mean()) for key in ("HOTA", "DetA", "AssA", "LocA")}
    out |= {key.lower(): float(identity[key]) for key in ("IDF1", "IDP", "IDR")}
    names = {"MOTA": "mota", "MOTP": "mean_iou", "CLR_Pr": "precision", "CLR_Re": "recall", "IDSW": "switches"}
    names |= {"CLR_TP": "found", "CLR_FN": "missed", "CLR_FP": "invented"}
    return out | {ours: float(clear[theirs]) for theirs, ours in names.items()}
