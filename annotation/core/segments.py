"""Cut a video into segments that overlap their neighbours.

The rule: `n = ⌈(N−o)/(L−o)⌉` segments whose lengths differ by at most 1 and never exceed L, neighbours sharing exactly
o frames, with `o ≤ L/3`; a video no longer than L is one segment.

It can always be kept. The lengths of n segments that share o frames with each neighbour sum to `N + (n−1)·o`, so the
longest of the balanced ones is `⌈(N + (n−1)·o)/n⌉`, and that is at most L exactly when `n·(L−o) ≥ N−o`. With two or
more segments the mean step `(N−o)/n` is over `(L−o)/2 ≥ o`, so each is at least 2·o long and no frame lies in three.
"""

from __future__ import annotations


def cut(frame_count: int, length: int, overlap: int) -> list[tuple[int, int]]:
    """Ranges `[start, stop)` of frames that cover `[0, frame_count)`; the longer ones come first.

    A video without frames has no segments. ValueError where `length` is under 1 or `overlap` over a third of it.

    >>> cut(10, 6, 2)
    [(0, 6), (4, 10)]
    """
    if frame_count < 0:
        raise ValueError(f"a video cannot have {frame_count} frames")
    if length < 1:
        raise ValueError(f"a segment of {length} frames is none")
    if overlap < 0 or 3 * overlap > length:
        raise ValueError(f"an overlap of {overlap} frames does not lie between 0 and a third of {length}")
    if frame_count <= length:
        return [(0, frame_count)] if frame_count else []
    count = -((overlap - frame_count) // (length - overlap))
    shortest, longer = divmod(frame_count + (count - 1) * overlap, count)
    starts = [i * (shortest - overlap) + min(i, longer) for i in range(count)]
    return [(start, start + shortest + (i < longer)) for i, start in enumerate(starts)]
