"""Boxes a second and peak memory of exports, from accepted segments in the database to the file.

DATA_DIR=$(mktemp -d) python -m benchmarks.release_export --frames 10000 --tracks 10 --format mot
"""

from __future__ import annotations

import argparse
import os
import resource
import time

import numpy as np


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--tracks", type=int, default=10)
    parser.add_argument("--format", default="mot")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    export_id = prepare(args.frames, args.tracks, args.format)
    from review.exporting import write_export
    from review.models import Export

    before, started = peak_mb(), time.perf_counter()
    write_export(export_id=export_id)
    took, boxes = time.perf_counter() - started, args.frames * args.tracks
    made = Export.objects.get(pk=export_id)
    print(f"{args.format}: {boxes} boxes, {boxes / took:,.0f} boxes/s, {made.bytes} bytes,", end=" ")
    print(f"peak {peak_mb():.0f} MB (before it {before:.0f} MB)")


def prepare(frames: int, count: int, format: str) -> str:
    """A ready release of one video of accepted segments, and an export of it that is not written yet."""
    from annotation import defining
    from annotation.core.tracks import Tracks, make_track
    from annotation.importing import Upload
    from annotation.models import User, Video
    from review import exporting, releasing
    from review.importing import import_tracks

    owner = User.objects.create_user(f"u{time.time_ns()}", role="client")
    project = defining.create_project(owner=owner, name=f"p{time.time_ns()}", labels=[{"name": "person"}])
    facts = {"file": "none", "bytes": 1, "sha256": "0" * 64, "frame_map_sha256": "0" * 64, "status": "ready"}
    size = {
        "frame_count": frames,
        "settled_frames": frames,
        "width": 1920,
        "height": 1080,
        "fps": 25.0,
        "variable_frame_rate": False,
    }
    video = Video.objects.create(project=project, name="long.mp4", uploaded_by=owner, **facts, **size)
    at = np.unique(np.append(np.arange(0, frames, 10), frames - 1))
    rng = np.random.default_rng(7)
    tracks = []
    for i in range(count):
        x, y = (rng.normal(0, 2, len(at)).cumsum() % 900 for _ in range(2))
        tracks.append(make_track(str(i + 1), "person", at, np.stack([x, y, x + 60, y + 150], axis=1)))
    upload = Upload(video, "mot", "gt.txt", "0" * 64, Tracks(0, frames, tuple(tracks)))
    import_tracks(project=project, upload=upload, by=owner)
    release = releasing.release(project=project, by=owner)
    releasing.build_release(release_id=release.pk)
    release.refresh_from_db()
    return exporting.export(release=release, format=format, video=None, by=owner).pk


if __name__ == "__main__":
    main()
