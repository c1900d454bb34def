"""A rendered scene is a video with its truth: the boxes lie where the walkers are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from annotation.core.boxes import iou
from annotation.core.tracks import Tracks, fill
from annotation.media.indexing import Index, index
from annotation.media.picturing import pixels
from annotation.media.reading import FrameReader
from annotation.media.scenes import render_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tracks, Index]:
    path = tmp_path_factory.mktemp("scene") / "scene.mp4"
    truth = render_scene(path, frames=400, seed=7)
    return path, truth, index(path)


def test_the_file_and_its_truth_have_the_same_frames(scene: tuple[Path, Tracks, Index]) -> None:
    _, truth, found = scene
    assert (truth.start, truth.stop) == (0, len(found.frame_map)) == (0, 400)
    assert found.variable_frame_rate


def test_walkers_cross_hide_leave_and_come_back(scene: tuple[Path, Tracks, Index]) -> None:
    _, truth, _ = scene
    dense = fill(truth.tracks, truth.start, truth.stop)
    returns = [(np.diff(present.astype(int)) == 1).sum() + present[0] > 1 for present in dense.present]
    assert sum(returns) >= 2, "some leave and come back"
    assert (dense.occluded & dense.present).any(axis=1).sum() >= 3, "some are hidden"
    assert dense.present.sum(axis=0).max() >= 3
    overlaps = [np.triu(iou(b[~np.isnan(b[:, 0])], b[~np.isnan(b[:, 0])]), 1).max() for b in dense.boxes.swapaxes(0, 1)]
    assert max(overlaps) > 0.2, "some cross"


def test_boxes_lie_inside_the_picture_and_on_what_moves(scene: tuple[Path, Tracks, Index]) -> None:
    path, truth, found = scene
    dense = fill(truth.tracks, truth.start, truth.stop)
    boxes = dense.boxes[dense.present]
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= found.width).all() and (boxes[:, 3] <= found.height).all()
    assert (boxes[:, 2] > boxes[:, 0]).all() and (boxes[:, 3] > boxes[:, 1]).all()
    with FrameReader(path, found.frame_map) as reader:
        shown = np.stack([pixels(reader.frame(n), found.frame_map) for n in range(0, 400, 10)])
    still = np.median(shown, axis=0)
    inside, outside = [], []
    for n, picture in zip(range(0, 400, 10), shown, strict=True):
        moved = np.abs(picture - still).max(axis=2)
        covered = np.zeros(moved.shape, bool)
        for k in np.flatnonzero(dense.present[:, n] & ~dense.occluded[:, n]):
            x1, y1, x2, y2 = dense.boxes[k, n].astype(int)
            inside.append((moved[y1:y2, x1:x2] > 25).mean())
            covered[y1:y2, x1:x2] = True
        for k in np.flatnonzero(dense.present[:, n] & dense.occluded[:, n]):
            x1, y1, x2, y2 = dense.boxes[k, n].astype(int)
            covered[y1:y2, x1:x2] = True
        outside.append((moved[~covered] > 60).mean())
    assert np.median(inside) > 0.5
    assert np.mean(outside) < 0.02


def test_the_same_seed_makes_the_same_scene(tmp_path: Path) -> None:
    again = [render_scene(tmp_path / f"{k}.mp4", frames=40, seed=seed) for k, seed in enumerate((3, 3, 4))]
    boxes = [fill(tracks.tracks, 0, 40).boxes for tracks in again]
    assert np.array_equal(boxes[0], boxes[1], equal_nan=True)
    assert boxes[0].shape != boxes[2].shape or not np.array_equal(boxes[0], boxes[2], equal_nan=True)
    assert (tmp_path / "0.mp4").read_bytes() == (tmp_path / "1.mp4").read_bytes()


def test_whoever_comes_back_is_somebody_new_where_that_is_wanted(
    scene: tuple[Path, Tracks, Index], tmp_path: Path
) -> None:
    path, truth, _ = scene
    apart = render_scene(tmp_path / "apart.mp4", frames=400, seed=7, returning=False)
    once, whole = (fill(tracks.tracks, 0, 400) for tracks in (apart, truth))
    begins = np.diff(once.present.astype(int), prepend=0) == 1
    assert len(once.ids) == len(set(once.ids)) > len(whole.ids)
    assert (begins.sum(axis=1) == 1).all(), "each is there once"
    for frame in range(400):
        left, right = (np.sort(d.boxes[d.present[:, frame], frame], axis=0) for d in (once, whole))
        assert np.array_equal(left, right)
    assert (tmp_path / "apart.mp4").read_bytes() == path.read_bytes()
