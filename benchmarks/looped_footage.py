"""Real footage looped into a video of any length, with its truth: what `long_video` is made of."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from annotation.core.clipping import clip_to
from annotation.core.metrics import compare
from annotation.core.tracks import Track, Tracks, fill, make_track
from annotation.formats.mot import read_mot
from annotation.media.opening import create_video, open_video
from benchmarks.segment_simulation import SHARED

SOURCE = SHARED / "data" / "video" / "vtest.avi"
TRUTH = SHARED / "data" / "mot15" / "PETS09-S2L1" / "gt.txt"
WIDTH, HEIGHT, FPS = 320, 240, 25
SOURCE_SIZE = (768, 576)
LOOP = 795
LABEL = "person"


def make_video(path: Path, frames: int) -> None:
    """The source again and again, scaled: H.264 with B-frames. It is encoded once, and written as often as it fits."""
    with open_video(SOURCE) as (container, stream):
        scale = VideoReformatter()
        pictures = [scale.reformat(p, WIDTH, HEIGHT, "yuv420p") for p in container.decode(stream)]
    assert len(pictures) == LOOP, len(pictures)
    draft = path.with_suffix(".draft.mp4")
    with create_video(draft) as out:
        stream = video_stream(out)
        for at in range(0, frames, LOOP):
            if not at or frames - at < LOOP:
                packets = encoded(pictures[: frames - at])
            for packet, pts, dts in packets:
                packet.pts, packet.dts, packet.time_base, packet.stream = pts + at, dts + at, Fraction(1, FPS), stream
                out.mux(packet)
    draft.rename(path)


def video_stream(out: OutputContainer) -> VideoStream:
    stream = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.codec_context.time_base = Fraction(1, FPS)
    return stream


def encoded(pictures: list[VideoFrame]) -> list[tuple[Packet, int, int]]:
    """Packets of some pictures with their times, in frames from the first picture on."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file, create_video(file.name) as out:
        stream = video_stream(out)
        packets: list[Packet] = []
        for frame, picture in enumerate(pictures):
            picture.pts, picture.time_base = frame, Fraction(1, FPS)
            packets += stream.encode(picture)
        packets += stream.encode(None)
        return [(packet, packet.pts, packet.dts) for packet in packets]


def video_of(work: Path, frames: int) -> Path:
    """The looped video of that many frames, made unless it is there. In a process of its own, for its memory's sake."""
    path = work / f"loop-{frames}.mp4"
    if not path.exists():
        program = f"from pathlib import Path; from {__spec__.name} import make_video; "
        subprocess.run([sys.executable, "-c", program + f"make_video(Path({str(path)!r}), {frames})"], check=True)
    return path


@lru_cache(maxsize=1)
def one_loop() -> tuple[Track, ...]:
    """The truth of the source at the looped video's size, every track absent from the loop's end on."""
    scale = np.tile([WIDTH / SOURCE_SIZE[0], HEIGHT / SOURCE_SIZE[1]], 2)
    tracks = []
    for track in clip_to(read_mot(TRUTH.read_bytes()), 0, LOOP).tracks:
        frames, points, outside = track.frames, track.points * scale, track.outside
        if not outside[-1]:
            frames, outside = np.append(frames, LOOP), np.append(outside, True)
            points = np.concatenate([points, np.full((1, 4), np.nan)])
        tracks.append(make_track(track.id, LABEL, frames, points, outside=outside))
    return tuple(tracks)


def truth_on(start: int, stop: int) -> Tracks:
    """What is truly there on some frames of the loop; each time round, everybody is somebody else."""
    rounds = range(start // LOOP, (stop - 1) // LOOP + 1)
    shifted = (replace(t, id=f"{k}-{t.id}", frames=t.frames + k * LOOP) for k in rounds for t in one_loop())
    return clip_to(Tracks(rounds[0] * LOOP, (rounds[-1] + 1) * LOOP + 1, tuple(shifted)), start, stop)


def nearness(path: Path, frames: int) -> Iterator[str]:
    """How near the MOT export is to the truth, the first, the middle and the last time round."""
    whole = frames // LOOP
    rounds = sorted({0, whole // 2, whole - 1})
    kept: dict[int, list[bytes]] = {k: [] for k in rounds}
    boxes = 0
    for line in lines_of(path):
        boxes += 1
        round_ = (int(line.partition(b",")[0]) - 1) // LOOP
        if round_ in kept:
            kept[round_].append(line)
    for k, lines in kept.items():
        start, stop = k * LOOP, (k + 1) * LOOP
        found = compare(
            fill(truth_on(start, stop).tracks, start, stop), fill(read_mot(b"".join(lines)).tracks, start, stop)
        )
        yield f"frames {start:,} to {stop:,}: HOTA {found.hota:.3f}, IDF1 {found.idf1:.3f}, {found.switches} switches"
    yield f"{boxes:,} boxes in all"


def lines_of(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith("gt/gt.txt"))
        with archive.open(name) as member:
            yield from member
