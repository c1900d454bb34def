"""What the first frames and the packets say about a video, as warnings in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from av.video.frame import VideoFrame

from annotation.media.frame_map import FrameMap
from annotation.media.orientation import UPRIGHT, Orientation, orientation
from annotation.media.packet_table import PacketTable
from annotation.media.rates import is_variable
from annotation.media.warnings import Warning, warning

GAP_S = 1.0
_EARLY_S = 0.001


@dataclass
class Head:
    """What the first decoded frames show. `width` and `height` are as stored, before turning."""

    width: int = 0
    height: int = 0
    how: Orientation = UPRIGHT
    interlaced: bool = False
    size_changes: bool = False
    frames: int = 0

    def see(self, frame: VideoFrame) -> None:
        if not self.frames:
            self.how = orientation(frame)
            self.width, self.height = frame.width, frame.height
        self.frames += 1
        self.interlaced |= frame.interlaced_frame
        self.size_changes |= (frame.width, frame.height) != (self.width, self.height)


class Said(Protocol):
    """The part of a container's header that is checked here."""

    @property
    def frames(self) -> int: ...
    @property
    def aspect(self) -> Fraction: ...
    @property
    def streams(self) -> int: ...
    @property
    def audio_start_s(self) -> float | None: ...


def warnings_of(frame_map: FrameMap, table: PacketTable, said: Said, head: Head, kind: str) -> list[Warning]:
    """Every warning that a video earns, in a fixed order."""
    return [
        *_about_times(frame_map, said.audio_start_s),
        *_about_packets(frame_map, table, said.frames, kind),
        *_about_pictures(head, said),
    ]


def _about_times(frame_map: FrameMap, audio_start_s: float | None) -> Iterator[Warning]:
    times = frame_map.times_s()
    steps = np.diff(times)
    usual = float(np.median(steps)) if len(steps) else 0.04
    if is_variable(frame_map):
        yield warning("variable_frame_rate")
    if (times < 0).any():
        yield warning("frames_before_zero", n=int((times < 0).sum()))
    if times[0] > usual / 2:
        yield warning("start_offset", s=times[0])
    gaps = int((steps > max(GAP_S, 3 * usual)).sum())
    if gaps:
        yield warning("gaps", n=gaps)
    if audio_start_s is not None and audio_start_s < times[0] - _EARLY_S:
        yield warning("audio_starts_early", s=times[0] - audio_start_s)


def _about_packets(frame_map: FrameMap, table: PacketTable, promised: int, kind: str) -> Iterator[Warning]:
    discarded, corrupt = int(table.discard.sum()), int(table.corrupt.sum())
    if discarded:
        yield warning("edit_list", n=discarded)
    if corrupt:
        yield warning("corrupt_packets", n=corrupt)
    hidden = len(table) - discarded - len(frame_map)
    if hidden > 0:
        yield warning("hidden_packets", n=hidden)
    if frame_map.undecodable:
        yield warning("undecodable_frames", n=len(frame_map.undecodable))
    if promised and promised != len(table) and kind in ("mp4", "avi"):
        yield warning("header_frame_count_wrong", promised=promised, n=len(table))


def _about_pictures(head: Head, said: Said) -> Iterator[Warning]:
    if head.how.mirrored:
        yield warning("mirrored")
    elif head.how.degrees:
        yield warning("rotation", degrees=head.how.degrees)
    if head.interlaced:
        yield warning("interlaced")
    if head.size_changes:
        yield warning("size_changes")
    if said.aspect not in (0, 1):
        yield warning("non_square_pixels", ratio=said.aspect)
    if said.streams > 1:
        yield warning("several_videos", n=said.streams)
