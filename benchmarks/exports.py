"""How fast exports are written, and in how much memory, beside datumaro's exporters on the same boxes.

    python -m benchmarks.exports [--case crowded|long|both] [--formats mot coco …] [--frames N] [--no-peer]

`crowded` is 790 frames with 70 tracks (55,300 boxes), `long` 100,000 frames with 10 (1,000,000). Every run is a process
of its own, whose greatest resident memory is read at its end; the clock covers writing alone and counts the processor's
time, which other work on the machine disturbs least. Our boxes are made piece by piece while writing (as they come from
the database), datumaro's data set stands in memory before its clock starts. It has no exporter of tracks as CSV or
Parquet, and needs TensorFlow for TFRecord.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from annotation.core.ontology import plain_ontology
from annotation.formats.content import Content, Rows, Video, VideoTracks
from annotation.formats.registry import FORMATS

CASES = {"crowded": (790, 70), "long": (100_000, 10)}
PEERS = {
    "mot": "mot_seq_gt",
    "coco": "coco_instances",
    "cvat": "cvat",
    "voc": "voc_detection",
    "yolo": "yolo",
    "kitti": "kitti_detection",
    "json": "datumaro",
}
LABELS = ("person", "car")
PART = 1000
WIDTH, HEIGHT = 1920, 1080


@cache
def boxes(count: int, tracks: int) -> np.ndarray:
    """Boxes (n, t, 4) that drift about, with two decimals; each part has the same ones, made before any clock runs."""
    turn = np.arange(count)[:, None] / 50.0 + np.arange(tracks)
    x, y = 800 + 700 * np.sin(turn), 400 + 300 * np.cos(turn * 1.3)
    return np.stack([x, y, x + 60 + 20 * np.sin(turn), y + 160.0], axis=-1).round(2)


def parts(frame_count: int, tracks: int, at: int = 0) -> Iterator[Rows]:
    for start in range(at, frame_count, PART):
        frames = np.arange(start, min(start + PART, frame_count))
        count = len(frames) * tracks
        numbers = np.tile(np.arange(1, tracks + 1), len(frames))
        yield Rows(
            start,
            start + len(frames),
            np.repeat(frames, tracks),
            numbers,
            numbers % 2,
            boxes(PART, tracks)[: len(frames)].reshape(-1, 4),
            numbers % 7 == 0,
            np.full(count, np.nan),
            np.zeros(count, np.int64),
        )


def ours(name: str, frame_count: int, tracks: int, folder: Path) -> float:
    video = VideoTracks(Video("video", frame_count, WIDTH, HEIGHT), lambda at: parts(frame_count, tracks, at))
    content = Content(plain_ontology(LABELS), (video,), {})
    boxes(PART, tracks)
    with (folder / f"{name}.zip").open("wb") as out:
        began = time.process_time()
        FORMATS[name].write(out, content)
        return time.process_time() - began


def theirs(name: str, frame_count: int, tracks: int, folder: Path) -> float:
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    items = []
    for start in range(0, frame_count, PART):
        frames = np.arange(start, min(start + PART, frame_count))
        for frame, rows in zip(frames.tolist(), boxes(PART, tracks).tolist(), strict=False):
            found = [
                Bbox(x1, y1, x2 - x1, y2 - y1, label=n % 2, attributes={"track_id": n, "occluded": n % 7 == 0})
                for n, (x1, y1, x2, y2) in enumerate(rows, 1)
            ]
            media = Image.from_file(path=f"{frame + 1:06}.jpg", size=(HEIGHT, WIDTH))
            items.append(DatasetItem(id=f"{frame + 1:06}", subset="train", media=media, annotations=found))
    dataset = Dataset.from_iterable(items, categories=list(LABELS))
    began = time.process_time()
    dataset.export(str(folder / name), PEERS[name], save_media=False)
    return time.process_time() - began


def measured(who: str, name: str, frame_count: int, tracks: int) -> tuple[float, float] | None:
    """Seconds and megabytes of one run in a process of its own; None where it fails."""
    command = [sys.executable, "-m", "benchmarks.exports", "--run", who, name, str(frame_count), str(tracks)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  {who} {name} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    seconds, kilobytes = json.loads(done.stdout.strip().splitlines()[-1])
    return seconds, kilobytes / 1024


def run(who: str, name: str, frame_count: int, tracks: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds = {"ours": ours, "theirs": theirs}[who](name, frame_count, tracks, Path(folder))
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))


def compare(names: list[str], frame_count: int, tracks: int, peer: bool) -> None:
    count = frame_count * tracks
    print(f"{count:,} boxes, {frame_count:,} frames × {tracks} tracks")
    print(f"  {'format':10}{'boxes/cpu s':>12}{'peak MB':>9}   {'datumaro':>12}{'peak MB':>9}   {'times':>6}")
    for name in names:
        own = measured("ours", name, frame_count, tracks)
        other = measured("theirs", name, frame_count, tracks) if peer and name in PEERS else None
        if own is None:
            continue
        line = f"  {name:10}{count / own[0]:12,.0f}{own[1]:9.0f}"
        if other:
            line += f"   {count / other[0]:12,.0f}{other[1]:9.0f}   {other[0] / own[0]:6.1f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=[*CASES, "both"], default="both")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--frames", type=int, help="instead of the case's own number")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        who, name, frame_count, tracks = given.run
        run(who, name, int(frame_count), int(tracks))
        return
    for case, (frame_count, tracks) in CASES.items():
        if given.case in (case, "both"):
            compare(given.formats, given.frames or frame_count, tracks, not given.no_peer)


if __name__ == "__main__":
    main()
