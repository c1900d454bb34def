"""What the demo labels: one's own video, a real one that lies beside the project, or a scene made on the spot."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from annotation.core.tracks import Tracks
from annotation.formats.mot import read_mot
from annotation.media.scenes import render_scene

LABEL = "person"
SCENE_FRAMES = 480


@dataclass(frozen=True)
class Material:
    """A video file and the tracks that are truly in it."""

    name: str
    video: Path
    truth: Tracks
    frame_count: int | None = None


def choose(video: Path | None, truth: Path | None, folder: Path, seed: int) -> Material:
    """The demo's material. `folder` takes a rendered scene; ValueError for a truth that cannot be read."""
    if video is not None and truth is not None:
        return Material(video.stem, video, read_truth(truth))
    shared = Path(os.environ.get("TRACKWEAVE_SHARED", settings.BASE_DIR.parent / "shared")) / "data"
    real, real_truth = shared / "video" / "vtest.avi", shared / "mot15" / "PETS09-S2L1" / "gt.txt"
    if real.is_file() and real_truth.is_file():
        return Material("vtest", real, read_truth(real_truth))
    path = folder / "scene.mp4"
    # Across segments nobody can know who comes back: a truth that asks for it would say how often people do.
    return Material("scene", path, _labelled(render_scene(path, frames=SCENE_FRAMES, seed=seed, returning=False)))


def read_truth(path: Path) -> Tracks:
    """Ground truth in MOT form; every object gets the demo's one label."""
    return _labelled(read_mot(path.read_bytes()))


def _labelled(tracks: Tracks) -> Tracks:
    return replace(tracks, tracks=tuple(replace(t, label=LABEL) for t in tracks.tracks))
