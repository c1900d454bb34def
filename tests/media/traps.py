"""The cast: one video for each thing that puts other tools a frame off."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from annotation.media.barcodes import BarcodeVideo, write_barcode_video

MS = Fraction(1, 1000)
MEDIUM = {"preset": "veryfast"}


@dataclass(frozen=True)
class Trap:
    """A video, how many frames it shows and which number the first of them carries, and the warnings it earns."""

    file: str
    how: BarcodeVideo
    frames: int = 75
    first: int = 0
    shown: int | None = None
    warnings: frozenset[str] = frozenset()
    variable: bool = False

    @property
    def count(self) -> int:
        return self.frames if self.shown is None else self.shown

    def write(self, folder: Path) -> Path:
        path = folder / self.file
        with scheduled_as_before():
            write_barcode_video(path, self.frames, self.how)
        return path


@contextmanager
def scheduled_as_before() -> Iterator[None]:
    """SVT-AV1, where root runs it, makes the process a real-time one: a child of it that spins then stops a machine."""
    known = hasattr(os, "sched_getscheduler")
    before = (os.sched_getscheduler(0), os.sched_getparam(0)) if known else None
    try:
        yield
    finally:
        if before:
            os.sched_setscheduler(0, *before)


def uneven(frames: int, start: int = 0, seed: int = 3) -> list[int]:
    """Times in milliseconds between 15 and 110 apart."""
    rng = random.Random(seed)
    times = [start]
    while len(times) < frames:
        times.append(times[-1] + rng.randint(15, 110))
    return times


def _w(*codes: str) -> frozenset[str]:
    return frozenset(codes)


H264 = BarcodeVideo("libx264", b_frames=3, gop=20, options=MEDIUM)
HEVC = BarcodeVideo("libx265", b_frames=3, gop=20, options={"preset": "ultrafast", "x265-params": "log-level=none"})
X264_OPEN = replace(H264, options=MEDIUM | {"x264-params": "open-gop=1:b-pyramid=normal"})
X265_OPEN = replace(HEVC, options={"preset": "ultrafast", "x265-params": "log-level=none:open-gop=1:keyint=20"})
ALT_REF = {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "5", "deadline": "good"}
SVT = {"preset": "6", "crf": "10", "svtav1-params": "enable-overlays=1"}
UNEVEN = {"times": uneven(75), "time_base": MS}

TRAPS = {
    "plain": Trap("plain.mp4", replace(H264, b_frames=0)),
    "b_frames": Trap("b.mp4", H264),
    "b_frames_mkv": Trap("b.mkv", H264),
    "b_frames_mov": Trap("b.mov", H264),
    "b_frames_avi": Trap("b.avi", H264, warnings=_w("decode_times_only")),
    "mpeg4_b_frames_avi": Trap("m4.avi", BarcodeVideo("mpeg4", b_frames=2), warnings=_w("decode_times_only")),
    "mpeg4_mkv": Trap("m4.mkv", BarcodeVideo("mpeg4")),
    "mpeg_ts": Trap("b.ts", H264, warnings=_w("start_offset")),
    "mpeg2_ts": Trap("m2.ts", BarcodeVideo("mpeg2video", b_frames=2), warnings=_w("start_offset")),
    "mpeg2_interlaced": Trap(
        "i.ts",
        BarcodeVideo("mpeg2video", b_frames=2, size=(96, 96), options={"flags": "+ildct+ilme"}),
        warnings=_w("start_offset", "interlaced"),
    ),
    "open_gop": Trap("open.mkv", X264_OPEN),
    "open_gop_ts": Trap("open.ts", X264_OPEN, warnings=_w("start_offset")),
    "hevc": Trap("h.mp4", HEVC),
    "hevc_open_gop": Trap("ho.mkv", X265_OPEN),
    "vp8_hidden": Trap("v8.webm", BarcodeVideo("libvpx", gop=30, options=ALT_REF)),
    "vp9_hidden": Trap("v9.webm", BarcodeVideo("libvpx-vp9", gop=30, options=ALT_REF)),
    "av1": Trap("a1.mp4", BarcodeVideo("libsvtav1", gop=30, size=(192, 128), options=SVT)),
    "av1_mkv": Trap("a1.mkv", BarcodeVideo("libsvtav1", gop=30, size=(192, 128), options=SVT)),
    "prores": Trap("p.mov", BarcodeVideo("prores_ks", pixels="yuv422p10le")),
    "mjpeg": Trap("j.avi", BarcodeVideo("mjpeg", pixels="yuvj420p")),
    "msmpeg4": Trap("ms.avi", BarcodeVideo("msmpeg4")),
    "variable": Trap("vfr.mkv", replace(H264, **UNEVEN), variable=True, warnings=_w("variable_frame_rate")),
    "variable_mp4": Trap("vfr.mp4", replace(H264, **UNEVEN), variable=True, warnings=_w("variable_frame_rate")),
    "edit_list": Trap(
        "edit.mp4", replace(H264, times=list(range(-9, 66))), first=9, shown=66, warnings=_w("edit_list")
    ),
    "rotated": Trap("r90.mp4", replace(H264, rotation=90), warnings=_w("rotation")),
    "upside_down": Trap("r180.mp4", replace(H264, rotation=180), warnings=_w("rotation")),
    "rotated_left": Trap("r270.mov", replace(H264, rotation=270), warnings=_w("rotation")),
    "mirrored": Trap("mirror.mp4", replace(H264, mirror=True), warnings=_w("mirrored")),
    "mirrored_turned": Trap("mirror90.mp4", replace(H264, mirror=True, rotation=90), warnings=_w("mirrored")),
    "negative_times": Trap(
        "neg.mkv",
        replace(H264, times=list(range(-5, 70)), muxer={"avoid_negative_ts": "disabled"}),
        warnings=_w("missing_times", "frames_before_zero"),
    ),
    "early_audio": Trap(
        "audio.mkv", replace(H264, b_frames=0, audio_from_s=-0.1), warnings=_w("audio_starts_early", "start_offset")
    ),
    "odd_size": Trap("odd.mkv", BarcodeVideo("libvpx-vp9", size=(97, 65), options={"cpu-used": "8"})),
    "single_keyframe": Trap("one.mp4", replace(H264, gop=1000, options=MEDIUM | {"sc_threshold": "0"})),
    "intra_refresh": Trap(
        "refresh.ts",
        BarcodeVideo("libx264", gop=20, options=MEDIUM | {"x264-params": "intra-refresh=1:bframes=0"}),
    ),
}
QUICK = (
    "b_frames",
    "b_frames_avi",
    "mpeg2_interlaced",
    "open_gop",
    "vp8_hidden",
    "av1",
    "variable",
    "edit_list",
    "rotated",
)
