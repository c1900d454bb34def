"""What a child process that opens an upload may use."""

from __future__ import annotations

from dataclasses import dataclass

from annotation.media.opening import MAX_PIXELS

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """`memory` in bytes of address space, `cpu_s` and `wall_s` in seconds, `pixels` of one picture, `frames` of the
    video, `output_bytes` of one file written or one answer given.
    """

    memory: int = 1536 * MIB
    cpu_s: int = 3600
    wall_s: float = 7200.0
    pixels: int = MAX_PIXELS
    frames: int = 5_000_000
    output_bytes: int = 4096 * MIB
