"""Indexing, settling and clipping in a child process: what the product calls for files that came from outside."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from annotation.media.clipping import ClipFacts
from annotation.media.frame_map import FrameMap
from annotation.media.indexing import Index
from annotation.media.limits import Limits
from annotation.media.sandbox import run
from annotation.media.warnings import Warning


def _packed(frame_map: FrameMap) -> str:
    return base64.b64encode(frame_map.pack()).decode()


def _unpacked(text: object) -> FrameMap:
    return FrameMap.unpack(base64.b64decode(str(text)))


def sandboxed_index(
    path: Path | str, limits: Limits | None = None, on_progress: Callable[[int], None] | None = None
) -> Index:
    """`indexing.index` in a child. Rejected or LimitReached where the file is no use, Killed where nobody knows."""
    report = None if on_progress is None else lambda said: on_progress(int(said["frames"]))
    found = run("index", {"path": str(Path(path).absolute())}, limits, report)
    warnings = tuple(Warning(*pair) for pair in found["warnings"])  # type: ignore[attr-defined]
    return Index(**(found | {"frame_map": _unpacked(found["frame_map"]), "warnings": warnings}))  # type: ignore[arg-type]


def sandboxed_settle(
    path: Path | str,
    frame_map: FrameMap,
    on_settled: Callable[[FrameMap], None] | None = None,
    *,
    until: int | None = None,
    limits: Limits | None = None,
) -> FrameMap:
    """`settling.settle` in a child; `on_settled` gets a newer map about once a second, in this process."""
    newest = [frame_map]

    def report(said: dict[str, object]) -> None:
        if "frame_map" in said:
            newest[0] = _unpacked(said["frame_map"])
        newest[0] = replace(newest[0], settled=int(said["settled"]))  # type: ignore[call-overload]
        if on_settled:
            on_settled(newest[0])

    kwargs: dict[str, object] = {
        "path": str(Path(path).absolute()),
        "frame_map": _packed(frame_map),
        "until": until,
    }
    return _unpacked(run("settle", kwargs, limits, report)["frame_map"])


def sandboxed_encode_clip(
    path: Path | str,
    frame_map: FrameMap,
    start: int,
    stop: int,
    out_path: Path | str,
    max_width: int = 1280,
    quality: str = "default",
    *,
    threads: int = 2,
    limits: Limits | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ClipFacts:
    """`clipping.encode_clip` in a child. On an error nothing is left at `out_path`."""
    kwargs: dict[str, object] = {
        "path": str(Path(path).absolute()),
        "frame_map": _packed(frame_map),
        "start": start,
        "stop": stop,
        "out_path": str(Path(out_path).absolute()),
        "max_width": max_width,
        "quality": quality,
        "threads": threads,
    }
    report = None if on_progress is None else lambda said: on_progress(int(said["frames"]))
    try:
        facts = run("encode_clip", kwargs, limits, report)
    except BaseException:
        Path(out_path).unlink(missing_ok=True)
        raise
    times: tuple[float, ...] = tuple(facts["frame_times_s"])  # type: ignore[arg-type]
    return ClipFacts(**(facts | {"rate": Fraction(str(facts["rate"])), "frame_times_s": times}))  # type: ignore[arg-type]
