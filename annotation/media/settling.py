"""The decode pass: what the packets promised is compared with the frames that a decoder shows.

Indexing believes the packets. Here every frame is decoded once, from the start onwards, and

* a frame that comes out is settled;
* a packet that failed, or that follows a failure and brought nothing out, was a frame: it keeps its number and is
  listed as undecodable;
* a packet that decoded well and shows nothing (a hidden reference frame, a second field, a frame that leads an open
  group at the very start) is no frame: it leaves the map, and the unsettled frames behind it move up.

A frame's number so depends only on what lies before it, and what is settled never changes.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from av.video.frame import VideoFrame

from annotation.media.decoding import Decoding, Fed, Step, fed_after, is_hidden
from annotation.media.frame_map import FrameMap
from annotation.media.opening import MAX_PIXELS

#: Frames that must have come out behind one before its absence is believed.
PATIENCE = 32
#: A newer map is told of after so many frames or seconds, and `REPORT_GROWS` frames later after twice as many, and so
#: on: each telling costs in proportion to the whole video, so their number must not.
REPORT_FRAMES = 256
REPORT_S = 1.0
REPORT_GROWS = 12_800


class _Pass:
    """One pass over a map whose numbers stay the old ones while it runs; `result` renumbers."""

    def __init__(self, frame_map: FrameMap) -> None:
        self.old = frame_map
        self.frontier = frame_map.settled
        self._state = Fed.LEADING
        self._clean_from, self._before_clean = 0, Fed.CLEAN
        self._shown: set[int] = set()
        self._latest: list[int] = []
        self._no_frames: set[int] = set()
        self._hidden: list[int] = []
        self._undecodable: list[int] = []

    def resume(self) -> None:
        """The decoder begins at a keyframe in the middle, and nothing leads."""
        self._state = Fed.CLEAN

    def take(self, step: Step) -> None:
        before, self._state = self._state, fed_after(self._state, step)
        self._feed(step, before)
        for stamp, _ in step.frames:
            number = self._number(stamp)
            if number is not None:
                self._show(number)
        if len(self._latest) == PATIENCE:
            self._decide(self._latest[0])

    def _feed(self, step: Step, before: Fed) -> None:
        number = self._number(step.stamp)
        if number is None:
            return
        if before is not Fed.CLEAN and self._state is Fed.CLEAN:
            self._clean_from, self._before_clean = number, before
        # What leads a keyframe refers to what came before it: to nothing at the start, to damage after damage.
        leads = self._state is Fed.CLEAN and number < self._clean_from
        if is_hidden(self._before_clean if leads else self._state, step):
            self._no_frames.add(number)

    def _show(self, number: int) -> None:
        self._shown.add(number)
        if len(self._latest) < PATIENCE:
            heapq.heappush(self._latest, number)
        else:
            heapq.heappushpop(self._latest, number)

    def _number(self, stamp: int | None) -> int | None:
        number = None if stamp is None else self.old.number(stamp)
        return number if number is not None and number >= self.frontier else None

    def end(self) -> None:
        self._decide(len(self.old))

    def _decide(self, until: int) -> None:
        """Settle the frames before `until`: as many as `PATIENCE` came out behind them, one outlier moves nothing."""
        for n in range(self.frontier, until):
            if n in self._shown:
                self._shown.discard(n)
            elif n in self._no_frames:
                self._hidden.append(n)
            else:
                self._undecodable.append(n)
            self._no_frames.discard(n)
        self.frontier = max(self.frontier, until)

    def result(self) -> FrameMap:
        undecodable = (*self.old.undecodable, *self._undecodable)
        lost = set(undecodable)
        keyframes = tuple(k for k in self.old.keyframes if k not in lost)
        settled = self.frontier - len(self._hidden)
        found = replace(self.old, undecodable=undecodable, keyframes=keyframes)
        return replace(found.without(self._hidden), settled=settled)


def settle(
    path: Path | str,
    frame_map: FrameMap,
    on_settled: Callable[[FrameMap], None] | None = None,
    *,
    until: int | None = None,
    on_frame: Callable[[VideoFrame], None] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> FrameMap:
    """Decode a video from the map's settled part onwards and give the settled map back.

    `on_settled` gets newer maps, soon at first (see `is_due`); `until` ends the pass once that many frames are
    settled; `on_frame` sees every decoded frame. A pass that was interrupted goes on from the last map that it gave.
    """
    if frame_map.settled >= len(frame_map):
        return frame_map
    stop = len(frame_map) if until is None else until
    pass_ = _Pass(frame_map)
    reported, reported_at = frame_map.settled, time.monotonic()
    with Decoding(path, frame_map.stamped, max_pixels) as decoding:
        _begin(decoding, frame_map, pass_)
        while pass_.frontier < stop:
            step = decoding.step()
            if step is None:
                pass_.end()
                break
            pass_.take(step)
            for _, frame in step.frames if on_frame else ():
                on_frame(frame)  # type: ignore[misc]
            if on_settled and is_due(pass_.frontier, reported, time.monotonic() - reported_at):
                on_settled(pass_.result())
                reported, reported_at = pass_.frontier, time.monotonic()
    settled = pass_.result()
    if on_settled:
        on_settled(settled)
    return settled


def is_due(frontier: int, reported: int, seconds: float) -> bool:
    """Whether what is settled is told of: it was `reported` frames `seconds` ago."""
    patience = max(1.0, reported / REPORT_GROWS)
    return frontier > reported and (frontier - reported >= patience * REPORT_FRAMES or seconds > patience * REPORT_S)


def _begin(decoding: Decoding, frame_map: FrameMap, pass_: _Pass) -> None:
    """Before the frontier by a keyframe more than needed: one may be a keyframe by name only."""
    keyframe = frame_map.keyframe_before(frame_map.settled - 1, back=1) if frame_map.settled else None
    if keyframe is None:
        return
    decoding.begin(int(frame_map.stamps[keyframe]))
    pass_.resume()
