"""Frame rates from presentation times: what a container says about them is not to be trusted."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from annotation.media.frame_map import FrameMap

_NTSC = [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)]
SLOWEST, FASTEST = Fraction(1), Fraction(120)


def mean_rate(frame_map: FrameMap, fallback: float = 25.0) -> float:
    """Frames a second over the whole video."""
    if len(frame_map) < 2:
        return fallback
    span = int(frame_map.times[-1] - frame_map.times[0])
    return (len(frame_map) - 1) / (span * float(frame_map.time_base))


def is_variable(frame_map: FrameMap) -> bool:
    """Whether frames leave an even grid by more than rounding: 1.5 ticks, or a tenth of a frame."""
    n = len(frame_map)
    if n < 3:
        return False
    ticks = (frame_map.times[-1] - frame_map.times[0]) / (n - 1)
    grid = frame_map.times[0] + ticks * np.arange(n)
    return bool(np.abs(frame_map.times - grid).max() > max(1.5, 0.1 * ticks))


def snap(rate: float) -> Fraction:
    """The customary rate within 0.05 % of a measured one, else the measured one to a hundredth.

    >>> snap(29.9701), snap(25.0001), snap(12.3456)
    (Fraction(30000, 1001), Fraction(25, 1), Fraction(247, 20))
    """
    customary = min([*_NTSC, Fraction(max(1, round(rate)))], key=lambda c: abs(float(c) - rate))
    if abs(float(customary) - rate) <= 0.0005 * rate:
        return customary
    return Fraction(round(rate * 100), 100)


def clip_rate(frame_map: FrameMap) -> Fraction:
    """The constant rate at which a clip plays as fast as its source on the whole, between 1 and 120."""
    return min(max(snap(mean_rate(frame_map)), SLOWEST), FASTEST)
