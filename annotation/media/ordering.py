"""Frames in the order in which they come out of the decoder, for files whose packets do not tell it."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from annotation.media.decoding import Decoding, Fed, Step, fed_after, is_hidden
from annotation.media.frame_map import Ints
from annotation.media.opening import MAX_PIXELS
from annotation.media.packet_table import NO_TIME, PacketTable

_PROGRESS = 512


class Order(NamedTuple):
    """Per frame, in the order shown: its packet's place in the file and the time it claims, `NO_TIME` for none."""

    serials: Ints
    claimed: Ints
    undecodable: Ints


class _Output:
    """What a decoder gave out: arrays that grow by a few bytes a frame."""

    def __init__(self) -> None:
        self.serials, self.claimed, self.hidden = array("q"), array("q"), array("B")
        self._state = Fed.LEADING

    def take(self, step: Step) -> None:
        self._state = fed_after(self._state, step)
        if step.stamp is not None:
            self.hidden.append(is_hidden(self._state, step))
        for serial, frame in step.frames:
            if serial is not None:
                self.serials.append(serial)
                self.claimed.append(NO_TIME if frame.pts is None else frame.pts)


def order_by_decoding(
    path: Path | str,
    table: PacketTable,
    on_progress: Callable[[int], None] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Order:
    """Decode a whole file for the order of its frames; damaged ones are put where their packets lie."""
    out = _Output()
    with Decoding(path, "serial", max_pixels) as decoding:
        while (step := decoding.step()) is not None:
            out.take(step)
            if on_progress and len(out.hidden) % _PROGRESS == 0:
                on_progress(len(out.serials))
    return _with_lost(out, table)


def _with_lost(out: _Output, table: PacketTable) -> Order:
    serials, first = np.unique(np.array(out.serials, np.int64), return_index=True)
    first.sort()  # a packet that gave two pictures is one frame
    shown = np.array(out.serials, np.int64)[first]
    claimed = np.array(out.claimed, np.int64)[first]
    count = min(len(out.hidden), len(table))
    lost = np.array(out.hidden[:count], np.uint8) == 0
    lost &= table.shown[:count]
    lost[serials[serials < count]] = False
    lost = np.flatnonzero(lost)
    places = np.searchsorted(serials, lost)
    order = np.insert(shown, places, lost)
    return Order(order, np.insert(claimed, places, NO_TIME), np.flatnonzero(np.isin(order, lost)))


def mend_times(claimed: Ints, step: int) -> Ints:
    """Strictly rising times from claimed ones that may be missing (`NO_TIME`), repeat, or restart, (n,) → (n,).

    `step` is the usual distance. Where the clock is set back, the rest is moved behind what came before.

    >>> mend_times(np.array([NO_TIME, 10, 10, 20, 3, 13]), 10).tolist()
    [0, 10, 11, 20, 30, 40]
    """
    known = np.flatnonzero(claimed != NO_TIME)
    if not len(known):
        return np.arange(len(claimed), dtype=np.int64) * step
    times = np.empty(len(claimed), np.int64)
    first = int(known[0])
    times[: first + 1] = claimed[first] - step * np.arange(first, -1, -1)
    last, shift = int(times[first]), 0
    for i in range(first + 1, len(claimed)):
        claim = int(claimed[i])
        if claim == NO_TIME:
            last += step
        elif claim + shift > last:
            last = claim + shift
        elif claim + shift == last:
            last += 1
        else:
            shift = last + step - claim
            last += step
        times[i] = last
    return times


def usual_step(claimed: Ints, fallback: int) -> int:
    """The median distance of neighbouring claimed times, in ticks, at least 1."""
    known = claimed[claimed != NO_TIME]
    steps = np.diff(known)
    steps = steps[steps > 0]
    return max(1, int(np.median(steps)) if len(steps) else fallback)
