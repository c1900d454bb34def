"""What indexing, settling, clips and pictures cost, in processor time and bytes; prints the tables of docs/capacity.md.

    python -m benchmarks.media [--frames 100000]

Sources: real videos of ../shared/data where they are, and rendered scenes. Seconds are processor seconds of the process
that does the work (user + system), since wall time on a shared machine says little; picture latencies are wall time,
best and median of many.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from annotation.media.clipping import QUALITIES, clip_size, encode_clip
from annotation.media.indexing import index
from annotation.media.opening import create_video
from annotation.media.pictures import PicturePool
from annotation.media.reading import FrameReader
from annotation.media.sandboxed import sandboxed_index
from annotation.media.scenes import render_scene
from annotation.media.settling import settle

SHARED = Path(os.environ.get("TRACKWEAVE_SHARED", Path(__file__).parents[1].parent / "shared")) / "data" / "video"


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Processor seconds and peak MiB (with what this program itself takes) of work in a process of its own."""
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)

    def child() -> None:
        begin = time.process_time()
        work()
        took = time.process_time() - begin
        there.send((took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    answer = here.recv()
    process.join()
    return answer


def write_long(path: Path, frames: int) -> None:
    """A video of many small grey frames with B-frames and uneven times."""
    with create_video(path) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "2", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        picture = VideoFrame(64, 48, "yuv420p")
        for k in range(frames):
            picture.pts, picture.time_base = 40 * k + k * 7919 % 13, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def sources(folder: Path) -> dict[str, Path]:
    scenes = {"scene 1080p, H.264 VFR": (1920, 1080), "scene 360p, H.264 VFR": (640, 360)}
    found = {
        name: SHARED / file
        for name, file in (("vtest 576p, MS-MPEG-4", "vtest.avi"), ("bigbuckbunny 720p, H.264", "bigbuckbunny.mp4"))
    }
    found = {name: path for name, path in found.items() if path.is_file()}
    for name, size in scenes.items():
        found[name] = folder / f"{size[1]}.mp4"
        spent(lambda path=found[name], size=size: render_scene(path, 300, size=size))  # elsewhere, to stay small here
    return found


def report_index(folder: Path, frames: int) -> None:
    print("| frames | index, s | µs a frame | peak MiB | packed map, kB |\n|---|---|---|---|---|")
    for count in (frames // 10, frames):
        path = folder / f"{count}.mp4"
        spent(lambda path=path, count=count: write_long(path, count))
        took, peak = spent(lambda path=path: index(path))
        packed = len(index(path).frame_map.pack()) / 1000
        print(f"| {count:,} | {took:.1f} | {took / count * 1e6:.0f} | {peak:.0f} | {packed:.0f} |")


def report_work(found: dict[str, Path], folder: Path) -> None:
    print("\n| source | settle, ms a frame | clip, ms a frame | clip, kB a frame | clip size | peak MiB |")
    print("|---|---|---|---|---|---|")
    out = folder / "clip.mp4"
    for name, path in found.items():
        frame_map = replace(index(path).frame_map, settled=0)
        count = min(len(frame_map), 300)
        settling, _ = spent(lambda path=path, frame_map=frame_map: settle(path, frame_map))
        clipping, peak = spent(lambda p=path, m=frame_map, n=count: encode_clip(p, m, 0, n, out))
        width, height = clip_size(frame_map.width, frame_map.height, 1280)
        print(
            f"| {name} | {settling / len(frame_map) * 1e3:.1f} | {clipping / count * 1e3:.1f} "
            f"| {out.stat().st_size / count / 1e3:.1f} | {width} × {height} | {peak:.0f} |"
        )


def report_qualities(path: Path, folder: Path) -> None:
    print("\n| quality | clip, ms a frame | clip, kB a frame |\n|---|---|---|")
    frame_map = index(path).frame_map
    count = min(len(frame_map), 200)
    out = folder / "q.mp4"
    for quality in QUALITIES:
        took, _ = spent(lambda q=quality: encode_clip(path, frame_map, 0, count, out, quality=q))
        print(f"| {quality} | {took / count * 1e3:.1f} | {out.stat().st_size / count / 1e3:.1f} |")


def report_pictures(found: dict[str, Path]) -> None:
    print("\n| source | first of a child, ms | next, ms | step back, ms | far, ms | cached, ms |")
    print("|---|---|---|---|---|---|")
    for name, path in found.items():
        with PicturePool(1) as pool:
            cells = _latencies(pool, path)
        print(f"| {name} | {' | '.join(cells)} |")


def _latencies(pool: PicturePool, path: Path) -> list[str]:
    frame_map = sandboxed_index(path).frame_map

    def ask(n: int) -> float:
        begin = time.perf_counter()
        pool.picture(path, frame_map, n, "jpeg")
        return (time.perf_counter() - begin) * 1e3

    first = ask(0)
    nexts = [ask(n) for n in range(1, 40)]
    ask(101)
    back = [ask(n) for n in range(100, 92, -1)]
    far = [ask(n) for n in (20_000 % len(frame_map), 70, 129, 55, 115)]
    return [f"{first:.0f}", _spread(nexts), _spread(back), _spread(far), f"{ask(5):.1f}"]


def _spread(values: list[float]) -> str:
    return f"{min(values):.0f} / {statistics.median(values):.0f}"


def report_formats(path: Path) -> None:
    from annotation.media.picturing import FORMATS, encode, pixels

    print("\n| format | encode, ms | kB |\n|---|---|---|")
    frame_map = index(path).frame_map
    with FrameReader(path, frame_map) as reader:
        picture = pixels(reader.frame(10), frame_map)
    for format in FORMATS:
        begin = time.process_time()
        for _ in range(5):
            data = encode(picture, format)
        print(f"| {format} | {(time.process_time() - begin) / 5 * 1e3:.0f} | {len(data) / 1e3:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    frames = parser.parse_args().frames
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report_index(folder, frames)
        found = sources(folder)
        report_work(found, folder)
        report_qualities(found["scene 1080p, H.264 VFR"], folder)
        report_pictures(found)
        report_formats(found["scene 1080p, H.264 VFR"])


if __name__ == "__main__":
    main()
