"""Boxes a second and peak memory of exports, from accepted segments in the database to the file, beside datumaro's.

    python -m benchmarks.release_export [--case crowded|long|huge …] [--formats mot coco …] [--no-peer]

`crowded` is 790 frames with 70 tracks (55,300 boxes), `long` 100,000 frames with 10 (1,000,000), `small` a tenth of it
and `huge` ten times it. The
data are imported as finished tracks (a keyframe every tenth frame, positions by seed 7) into a database of their own
under a temporary folder, cut into segments, stitched and released. Then every export runs in a process of its own,
whose greatest resident memory is read at its end: the job itself, from the row to the stored file. datumaro gets the
same boxes, read from the same release before its clock starts. Seconds are the processor's time (user and system),
which other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CASES = {"crowded": (790, 70), "small": (10_000, 10), "long": (100_000, 10), "huge": (1_000_000, 10)}
PEERS = {
    "mot": "mot_seq_gt",
    "coco": "coco_instances",
    "cvat": "cvat",
    "voc": "voc_detection",
    "yolo": "yolo",
    "kitti": "kitti_detection",
    "json": "datumaro",
}
WIDTH, HEIGHT = 1920, 1080


def set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


def prepare(frames: int, count: int) -> str:
    """A ready release of one video of accepted segments; its id."""
    from django.core.management import call_command

    set_up()
    call_command("migrate", verbosity=0)
    from annotation import defining
    from annotation.core.tracks import Tracks, make_track
    from annotation.importing import Upload
    from annotation.models import User, Video
    from review import releasing
    from review.importing import import_tracks

    owner = User.objects.create_user("owner", role="client")
    project = defining.create_project(owner=owner, name="long", labels=[{"name": "person"}, {"name": "car"}])
    facts = {"file": "none", "bytes": 1, "sha256": "0" * 64, "frame_map_sha256": "0" * 64, "status": "ready"}
    size = {"frame_count": frames, "settled_frames": frames, "width": WIDTH, "height": HEIGHT, "fps": 25.0}
    video = Video.objects.create(
        project=project, name="long.mp4", uploaded_by=owner, variable_frame_rate=False, **facts, **size
    )
    at = np.unique(np.append(np.arange(0, frames, 10), frames - 1))
    rng = np.random.default_rng(7)
    tracks = []
    for i in range(count):
        x, y = (np.round(rng.normal(0, 2, len(at)).cumsum() % 900, 2) for _ in range(2))
        points = np.stack([x, y, x + 60, y + 150], axis=1)
        tracks.append(make_track(str(i + 1), ("person", "car")[i % 2], at, points))
    upload = Upload(video, "mot", "gt.txt", "0" * 64, Tracks(0, frames, tuple(tracks)))
    import_tracks(project=project, upload=upload, by=owner)
    release = releasing.release(project=project, by=owner)
    releasing.build_release(release_id=release.pk)
    return release.pk


def ours(release_id: str, format: str) -> float:
    set_up()
    from annotation.memory import keep_freed_memory
    from review import exporting
    from review.models import Export, Release

    keep_freed_memory()  # as a job worker does
    release = Release.objects.get(pk=release_id)
    made = exporting.export(release=release, format=format, video=None, by=None)
    began = time.process_time()
    exporting.write_export(export_id=made.pk)
    took = time.process_time() - began
    assert Export.objects.get(pk=made.pk).status == "ready"
    return took


def theirs(release_id: str, format: str) -> float:
    set_up()
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    from review.composing import content_of
    from review.models import Release

    items = []
    with content_of(Release.objects.get(pk=release_id)) as content:
        names = content.ontology.names
        for rows in content.videos[0].parts(0):
            edges = np.searchsorted(rows.frames, np.arange(rows.start, rows.stop + 1)).tolist()
            for frame, (a, b) in enumerate(zip(edges, edges[1:], strict=False), rows.start):
                columns = (rows.boxes[a:b], rows.labels[a:b], rows.numbers[a:b], rows.occluded[a:b])
                found = [
                    Bbox(x1, y1, x2 - x1, y2 - y1, label=label, attributes={"track_id": n, "occluded": hidden})
                    for (x1, y1, x2, y2), label, n, hidden in zip(*(c.tolist() for c in columns), strict=True)
                ]
                media = Image.from_file(path=f"{frame + 1:06}.jpg", size=(HEIGHT, WIDTH))
                items.append(DatasetItem(id=f"{frame + 1:06}", subset="train", media=media, annotations=found))
    dataset = Dataset.from_iterable(items, categories=list(names))
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        dataset.export(str(Path(folder) / format), PEERS[format], save_media=False)
        return time.process_time() - began


def child(folder: str, *words: str) -> list[str]:
    """The words on the last line of a run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.release_export", "--run", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"DATA_DIR": folder, "DATABASE_URL": ""}
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr}")
    return done.stdout.strip().splitlines()[-1].split()


def run(verb: str, *words: str) -> None:
    if verb == "prepare":
        print(prepare(int(words[0]), int(words[1])))
        return
    seconds = {"ours": ours, "theirs": theirs}[verb](*words)
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def compare(frames: int, tracks: int, formats: list[str], peer: bool) -> None:
    count = frames * tracks
    print(f"{count:,} boxes, {frames:,} frames × {tracks} tracks, from the database to the file")
    print(f"  {'format':10}{'boxes/cpu s':>12}{'peak MB':>9}   {'datumaro':>12}{'peak MB':>9}   {'times':>6}")
    with tempfile.TemporaryDirectory() as folder:
        (release,) = child(folder, "prepare", str(frames), str(tracks))
        for format in formats:
            seconds, peak = map(float, child(folder, "ours", release, format))
            line = f"  {format:10}{count / seconds:12,.0f}{peak:9.0f}"
            if peer and format in PEERS:
                other, its_peak = map(float, child(folder, "theirs", release, format))
                line += f"   {count / other:12,.0f}{its_peak:9.0f}   {other / seconds:6.1f}"
            print(line, flush=True)


def main() -> None:
    from annotation.formats.registry import FORMATS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", nargs="+", choices=list(CASES), default=["crowded", "long"])
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        run(*given.run)
        return
    for case in given.case:
        compare(*CASES[case], given.formats, not given.no_peer)


if __name__ == "__main__":
    main()
