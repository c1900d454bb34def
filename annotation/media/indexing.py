"""Indexing: from a file to its frame map and its facts, by its packets alone wherever they can be believed.

Frames are numbered in the order in which a decoder shows them. A packet's presentation time says where its frame
goes, so sorting the times of all packets gives the order without decoding anything. Where times are missing, repeat
or restart, or where the container only knows decode times, the file is decoded once instead. The first frames are
decoded in any case: for the size, the turn, and what packets do not tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from annotation.media.errors import Rejected
from annotation.media.facts import Head, warnings_of
from annotation.media.frame_map import FrameMap
from annotation.media.limits import Limits
from annotation.media.opening import CODECS, open_video, sniff
from annotation.media.ordering import mend_times, order_by_decoding, usual_step
from annotation.media.packet_table import NO_TIME, PacketTable, read_packets
from annotation.media.rates import is_variable, mean_rate, snap
from annotation.media.settling import settle
from annotation.media.warnings import Warning, warning

#: Frames that are decoded at once, to see what the packets do not say.
HEAD_FRAMES = 40
#: Presentation and decode order differ by no more than this; beyond it a time is wrong or the clock was set back.
MAX_REORDER = {"H.264": 17, "HEVC": 17, "MPEG-1": 3, "MPEG-2": 3, "MPEG-4": 3}


@dataclass(frozen=True)
class Index:
    """What a video is. `width` and `height` are after rotation, without aspect scaling; `rotation` is clockwise."""

    frame_map: FrameMap
    width: int
    height: int
    rotation: int
    fps: float
    duration_s: float
    variable_frame_rate: bool
    codec: str
    container: str
    warnings: tuple[Warning, ...] = ()


@dataclass(frozen=True)
class Header:
    """What the container says about the video stream, true or not."""

    codec: str
    time_base: Fraction
    average_rate: float
    frames: int
    reordered: bool
    aspect: Fraction
    streams: int
    audio_start_s: float | None

    @classmethod
    def read(cls, container: InputContainer, stream: VideoStream) -> Self:
        audio = ((a.start_time, a.time_base) for a in container.streams.audio)
        starts = [float(start * base) for start, base in audio if start is not None and base is not None]
        return cls(
            codec=CODECS[stream.codec_context.name],
            time_base=stream.time_base or Fraction(1, 1000),
            average_rate=float(stream.average_rate or stream.guessed_rate or 25),
            frames=stream.frames,
            reordered=bool(stream.codec_context.has_b_frames),
            aspect=stream.sample_aspect_ratio or Fraction(1),
            streams=len(container.streams.video),
            audio_start_s=min(starts, default=None),
        )


def index(path: Path | str, limits: Limits | None = None, on_progress: Callable[[int], None] | None = None) -> Index:
    """Index a video file. Rejected, with words for the person who brought it, when it cannot be used.

    `on_progress` gets the number of frames read so far. Memory: some 50 bytes a frame beside what decoding takes.
    """
    limits = limits or Limits()
    kind = sniff(path)
    with open_video(path, limits.pixels) as (container, stream):
        header = Header.read(container, stream)
        table = read_packets(container, stream, limits.frames, on_progress)
    if not table.shown.any():
        raise Rejected("The file has a video track but no pictures in it. It may have been cut off; upload it again.")
    trouble = _trouble(table, kind, header)
    if trouble is None:
        frame_map = _by_packets(table, kind, header)
    else:
        frame_map = _by_decoding(path, table, header, trouble.code, on_progress, limits)
    frame_map, head = _see_head(path, frame_map, limits)
    notes = [trouble] if trouble else []
    return _describe(frame_map, head, header, kind, [*notes, *warnings_of(frame_map, table, header, head, kind)])


def _trouble(table: PacketTable, kind: str, header: Header) -> Warning | None:
    """Why the packets' times do not give the order of the frames, or None where they do."""
    shown = table.shown
    if kind == "avi" and header.reordered:
        return warning("decode_times_only")
    times = table.pts[shown]
    missing = int((times == NO_TIME).sum())
    if missing:
        return warning("missing_times", n=missing)
    order = np.argsort(times, kind="stable")
    moved = np.abs(order - np.arange(len(times))).max()
    if moved > MAX_REORDER.get(header.codec, 0) or (np.diff(times[order]) == 0).any():
        return warning("non_monotonic_times")
    return None


def _by_packets(table: PacketTable, kind: str, header: Header) -> FrameMap:
    shown = table.shown
    # AVI stores no presentation times; libav makes them up, at times one frame late.
    stamped = "decode" if kind == "avi" and not (table.dts[shown] == NO_TIME).any() else "times"
    times = (table.dts if stamped == "decode" else table.pts)[shown]
    order = np.argsort(times, kind="stable")
    keyframes = np.flatnonzero(table.keyframe[shown][order])
    stamps = None
    # AVI's times are counts: of what was read, or of the index after a seek. Damage puts the two apart.
    if table.misled:
        stamped, stamps = "serial", np.flatnonzero(shown)[order]
    how = {"stamped": stamped, "stamps": stamps}
    return FrameMap(times[order], header.time_base, keyframes=tuple(keyframes.tolist()), **how)  # type: ignore[arg-type]


def _by_decoding(
    path: Path | str,
    table: PacketTable,
    header: Header,
    why: str,
    on_progress: Callable[[int], None] | None,
    limits: Limits,
) -> FrameMap:
    order = order_by_decoding(path, table, on_progress, limits.pixels)
    dts = table.dts[order.serials]
    rises = len(np.unique(dts)) == len(dts) and NO_TIME not in dts
    if why == "decode_times_only" and rises:
        # The container is an even grid of decode times, and presentation is the same grid.
        times, stamps, stamped = np.sort(dts), dts, "decode"
        if table.misled:
            stamps, stamped = order.serials, "serial"
    else:
        fallback = round(1 / (header.average_rate * float(header.time_base)))
        times = mend_times(order.claimed, usual_step(order.claimed, fallback))
        stamps, stamped = order.serials, "serial"
    lost = set(order.undecodable.tolist())
    keyframes = [k for k in np.flatnonzero(table.keyframe[order.serials]).tolist() if k not in lost]
    return FrameMap(
        times=times,
        time_base=header.time_base,
        keyframes=tuple(keyframes),
        undecodable=tuple(sorted(lost)),
        settled=len(times),
        stamped=stamped,
        stamps=stamps,
    )


def _see_head(path: Path | str, frame_map: FrameMap, limits: Limits) -> tuple[FrameMap, Head]:
    """Decode until some frames were seen, settle those, and put the size into the map."""
    head = Head()
    seen = replace(frame_map, settled=0, undecodable=())
    until = min(HEAD_FRAMES, len(frame_map))
    while not head.frames and seen.settled < len(seen):
        seen = settle(path, seen, until=until, on_frame=head.see, max_pixels=limits.pixels)
        until = min(len(seen), 4 * until)
    if not head.frames:
        raise Rejected(
            "No frame of the video can be decoded: the file is damaged, encrypted or not complete. "
            "Export it as mp4 (H.264) and upload it again."
        )
    if frame_map.settled:
        seen = frame_map
    width, height = head.how.size(head.width, head.height)
    return replace(seen, width=width, height=height), head


def _describe(frame_map: FrameMap, head: Head, header: Header, kind: str, notes: list[Warning]) -> Index:
    variable = is_variable(frame_map)
    rate = mean_rate(frame_map, header.average_rate)
    steps = np.diff(frame_map.times) * float(frame_map.time_base)
    last = float(np.median(steps)) if len(steps) else 1 / rate
    span = float((frame_map.times[-1] - frame_map.times[0]) * frame_map.time_base)
    return Index(
        frame_map=frame_map,
        width=frame_map.width,
        height=frame_map.height,
        rotation=head.how.degrees,
        fps=round(rate if variable else float(snap(rate)), 6),
        duration_s=round(span + last, 6),
        variable_frame_rate=variable,
        codec=header.codec,
        container=kind,
        warnings=tuple(notes),
    )
