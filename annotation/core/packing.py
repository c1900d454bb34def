"""Tracks as few bytes: a header of what is said in words, and columns of numbers, as differences, deflated.

Lossless to the last bit of every float. Where all points are decimal fractions (what people draw and what tools write
has two or three places), they are kept as whole multiples of 10^-p, whose differences along a track are small numbers;
else as the floats' own bits, whose differences share their upper bytes. Bytes of equal weight are laid side by side
(the "shuffle" filter of Blosc and HDF5), since that is where the zeros meet. Sizes are measured in docs/capacity.md.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.core.tracks import Bools, Floats, Interval, Ints, Track, Tracks

VERSION = 1
PLACES = range(8)
BITS = 255
# Past this a float no longer holds every whole number.
EXACT = float(2**53)
_HEAD = struct.Struct("<BBI")


class Unreadable(ValueError):
    """The bytes are no packed tracks of a version known here."""


def pack(tracks: Tracks) -> bytes:
    """The content of a TrackSet without its range; `unpack` gives it back equal, bit for bit."""
    points = [t.points for t in tracks.tracks]
    whole = np.concatenate([p.ravel() for p in points]) if points else np.zeros(0)
    places = _places(whole)
    columns = (
        _shuffled(_differences([t.frames[:, None] for t in tracks.tracks])),
        _shuffled(_differences([_scaled(p, places) for p in points])),
        np.packbits(np.isnan(whole)).tobytes(),
        np.packbits(_joined([t.outside for t in tracks.tracks])).tobytes(),
        np.packbits(_joined([t.occluded for t in tracks.tracks])).tobytes(),
    )
    header = _words(_header(tracks))
    body = _HEAD.pack(VERSION, places, len(header)) + header + b"".join(columns)
    return zlib.compress(body, 6)


def unpack(payload: bytes | memoryview, start: int, stop: int) -> Tracks:
    """The tracks of `[start, stop)` that were packed. Unreadable where the bytes are something else."""
    try:
        body = memoryview(zlib.decompress(payload))
        version, places, length = _HEAD.unpack_from(body)
    except (zlib.error, struct.error) as error:
        raise Unreadable(f"no packed tracks: {error}") from None
    if version != VERSION:
        raise Unreadable(f"packed tracks of version {version}; known is {VERSION}")
    header = json.loads(bytes(body[_HEAD.size : _HEAD.size + length]))
    columns = _Columns(body[_HEAD.size + length :])
    shapes = np.array(header["shapes"], np.int64).reshape(-1, 2)
    counts, sizes = shapes[:, 0], shapes.prod(axis=1)
    frames = _summed(columns.numbers(int(counts.sum())), counts)
    units = _summed(columns.numbers(int(sizes.sum())), np.repeat(counts, shapes[:, 1]))
    points = _upright(units.view(np.float64) if places == BITS else units / 10.0**places, shapes)
    points[columns.flags(len(points))] = np.nan
    outside, occluded = columns.flags(len(frames)), columns.flags(len(frames))
    ends, edges = np.cumsum(counts).tolist(), np.cumsum(sizes).tolist()
    made = tuple(
        _track(words, frames[b - k : b], points[e - k * w : e].reshape(k, w), outside[b - k : b], occluded[b - k : b])
        for words, b, e, (k, w) in zip(header["tracks"], ends, edges, shapes.tolist(), strict=True)
    )
    return Tracks(start, stop, made, tuple(Interval(*i) for i in header["intervals"]))


def count_intervals(payload: bytes | memoryview) -> int:
    """How many intervals were packed; no box is read for it. Unreadable as in `unpack`."""
    stream = zlib.decompressobj()
    try:
        head = stream.decompress(payload, _HEAD.size)
        length = _HEAD.unpack(head)[2]
        words = json.loads(stream.decompress(stream.unconsumed_tail, length))
    except (zlib.error, struct.error, json.JSONDecodeError) as error:
        raise Unreadable(f"no packed tracks: {error}") from None
    return len(words["intervals"])


def digest(tracks: Tracks) -> str:
    """SHA-256 of the content and its range, the same however it is packed; hex."""
    sha = hashlib.sha256(_words([tracks.start, tracks.stop, _header(tracks)]))
    for t in tracks.tracks:
        points = np.where(np.isnan(t.points), np.nan, t.points)
        for column in (t.frames.astype("<i8"), points.astype("<f8"), t.outside, t.occluded):
            sha.update(np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()


class _Columns:
    """Reads one column after the other."""

    def __init__(self, body: memoryview) -> None:
        self.body, self.at = body, 0

    def numbers(self, count: int) -> Ints:
        width, self.at = self.body[self.at], self.at + 1
        raw = np.frombuffer(self.body, np.uint8, count * width, self.at).reshape(width, count)
        self.at += count * width
        return np.ascontiguousarray(raw.T).view(f"<i{width}").ravel().astype(np.int64)

    def flags(self, count: int) -> Bools:
        size = -(-count // 8)
        raw = np.frombuffer(self.body, np.uint8, size, self.at)
        self.at += size
        return np.unpackbits(raw, count=count).astype(bool)


def _header(tracks: Tracks) -> dict[str, Any]:
    return {
        "shapes": [list(t.points.shape) for t in tracks.tracks],
        "tracks": [_track_words(t) for t in tracks.tracks],
        "intervals": [[i.label, i.start, i.stop, i.track, dict(i.attributes)] for i in tracks.intervals],
    }


def _track_words(t: Track) -> list[Any]:
    changes = [[int(frame), dict(values)] for frame, values in sorted(t.changes.items())]
    words = [t.id, t.label, dict(t.attributes), changes]
    consensus = [t.confidence, list(t.support), [list(d) for d in t.disputes]]
    return words + consensus if consensus != [None, [], []] else words


def _track(words: list[Any], frames: Ints, points: Floats, outside: Bools, occluded: Bools) -> Track:
    id, label, attributes, changes, *consensus = words
    confidence, support, disputes = consensus or (None, [], [])
    return Track(
        id,
        label,
        frames,
        points,
        outside,
        occluded,
        attributes,
        dict(changes),
        confidence,
        tuple(support),
        tuple((start, stop) for start, stop in disputes),
    )


def _words(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _places(points: Floats) -> int:
    """The least number of decimal places that says all points exactly, or BITS where none does."""
    there = points[~np.isnan(points)]
    for places in PLACES:
        scale = 10.0**places
        units = np.rint(there * scale)
        if np.any(np.abs(units) >= EXACT) or not np.isfinite(there).all():
            return BITS
        # Whole numbers have no negative zero, so the bits are compared, not the values.
        if np.array_equal((units.astype(np.int64) / scale).view(np.int64), there.view(np.int64)):
            return places
    return BITS


def _scaled(points: Floats, places: int) -> Ints:
    there = np.where(np.isnan(points), 0.0, points)
    if places == BITS:
        return np.ascontiguousarray(there).view(np.int64)
    return np.rint(there * 10.0**places).astype(np.int64)


def _differences(columns: list[Ints]) -> Ints:
    """Differences down each (k, width) array, laid out coordinate by coordinate; the wrap of int64 undoes itself."""
    parts = [np.diff(c, axis=0, prepend=np.zeros((1, c.shape[1]), np.int64)).T.ravel() for c in columns]
    return _joined(parts, np.int64)


def _summed(flat: Ints, counts: Ints) -> Ints:
    """Running sums of stretches of `counts[i]` differences; the wrap of int64 undoes itself."""
    sums = np.cumsum(flat, dtype=np.int64)
    before = np.concatenate([[0], sums])[np.cumsum(counts) - counts]
    return sums - np.repeat(before, counts)


def _upright(flat: Floats, shapes: Ints) -> Floats:
    """Arrays laid out coordinate by coordinate, now row by row."""
    out, at = np.empty_like(flat), 0
    for k, width in shapes.tolist():
        end = at + k * width
        out[at:end].reshape(k, width)[:] = flat[at:end].reshape(width, k).T
        at = end
    return out


def _joined(parts: list[NDArray[Any]], dtype: type = bool) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)


def _shuffled(numbers: Ints) -> bytes:
    """Little-endian bytes of equal weight side by side, after the width in which all of them fit."""
    top = max((int(numbers.max()), -int(numbers.min()) - 1)) if len(numbers) else 0
    width = next(w for w in (1, 2, 4, 8) if top < 2 ** (8 * w - 1))
    raw = numbers.astype(f"<i{width}").view(np.uint8).reshape(-1, width)
    return bytes([width]) + np.ascontiguousarray(raw.T).tobytes()
