"""TFRecord of `tf.train.Example`s, from here or from TensorFlow's object detection tools."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from annotation.core.problems import Problems
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, InvalidFile, refuse, the_member
from annotation.formats.assembling import Target, assemble
from annotation.formats.crc import masked_crcs
from annotation.formats.gathering import Gathered
from annotation.formats.per_frame import frame_of

EDGES = ("xmin", "ymin", "xmax", "ymax")
Feature = list[bytes] | list[int] | list[float]


class _Broken(ValueError):
    """The bytes are no protocol buffer of an Example."""


def read_tfrecord(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a `.tfrecord`, or from a zip with one (`video` names one of several).

    A frame's number is its feature `image/frame`, else the last number in its file name. Without
    `image/object/track/id` each box is a track of one frame. InvalidFile names records by their place, from 0.
    """
    target, problems, found = target or Target(), Problems(), Gathered("box")
    with problems.raising(InvalidFile):
        for i, record in enumerate(_records(the_member(data, ".tfrecord", video))):
            try:
                _add(found, _example(record), target)
            except (_Broken, struct.error, IndexError, UnicodeDecodeError) as error:
                problems.add(AT, f"record {i}: {error}")
    return assemble(found.boxes(), target)


def _records(data: bytes) -> Iterator[bytes]:
    """The records, each checked against its checksums."""
    records, heads, sums, at = [], [], [], 0
    while at < len(data):
        if len(data) - at < 12:
            raise refuse(f"byte {at}: the file ends within a record's head")
        length, head = struct.unpack_from("<QI", data, at)
        if length > len(data) - at - 16:
            raise refuse(f"byte {at}: a record of {length} bytes does not fit in the file")
        heads.append(data[at : at + 8])
        records.append(data[at + 12 : at + 12 + length])
        sums.append((head, struct.unpack_from("<I", data, at + 12 + length)[0]))
        at += 16 + length
    expected = np.array(sums, np.uint32).reshape(-1, 2)
    wrong = (masked_crcs(heads) != expected[:, 0]) | (masked_crcs(records) != expected[:, 1])
    if wrong.any():
        raise refuse(f"record {np.flatnonzero(wrong)[0]}: its checksum is wrong")
    yield from records


def _add(found: Gathered, features: dict[str, Feature], target: Target) -> None:
    size = [_whole(features, "image/width", target.width), _whole(features, "image/height", target.height)]
    edges = [_list(features, f"image/object/bbox/{e}", float) for e in EDGES]
    texts, count = _list(features, "image/object/class/text", bytes), len(edges[0])
    tracks = _list(features, "image/object/track/id", int) if "image/object/track/id" in features else [None] * count
    hidden = _list(features, "image/object/occluded", int) or [0] * count
    if any(len(column) != count for column in (*edges, texts, tracks, hidden)):
        raise _Broken("the features of its boxes differ in length")
    frame = _frame(features)
    boxes = np.array(edges, np.float64).T * np.array(size * 2, np.float64)
    for box, text, track, occluded in zip(boxes.tolist(), texts, tracks, hidden, strict=True):
        key = None if track is None else str(track)
        found.add(len(found.frames), frame, key, text.decode(), box, occluded == 1)


def _list(features: dict[str, Feature], name: str, kind: type) -> list[Any]:
    values = features.get(name, [])
    if not all(isinstance(v, kind) for v in values):
        raise _Broken(f"the feature {name} is not of type {kind.__name__}")
    return values


def _whole(features: dict[str, Feature], name: str, given: int | None) -> int:
    values = _list(features, name, int) or [given]
    if values[0] is None or not 0 < values[0] < 2**31:
        raise _Broken(f"the feature {name} is missing")
    return values[0]


def _frame(features: dict[str, Feature]) -> int:
    frames, names = _list(features, "image/frame", int), _list(features, "image/filename", bytes)
    if frames and 0 <= frames[0] < 2**31:
        return frames[0]
    stem = names[0].decode().rsplit("/", 1)[-1].rsplit(".", 1)[0] if names else ""
    number = frame_of(stem)
    if number is None:
        raise _Broken("there is no frame number in its file name")
    return number


def _example(record: bytes) -> dict[str, Feature]:
    features: dict[str, Feature] = {}
    for number, body in _fields(record):
        for entry in _bodies(body, 1) if number == 1 and isinstance(body, bytes) else ():
            name, feature = _bodies(entry, 1), _bodies(entry, 2)
            if name:
                features[name[0].decode()] = _feature(feature[0]) if feature else []
    return features


def _feature(data: bytes) -> Feature:
    for number, body in _fields(data):
        if not isinstance(body, bytes):
            raise _Broken("a feature is no list")
        if number == 1:
            return _bodies(body, 1)
        if number == 2:
            return [v for _, part in _fields(body) for v in _floats(part)]
        if number == 3:
            return [v for _, part in _fields(body) for v in _ints(part)]
    return []


def _floats(part: bytes | int) -> list[float]:
    if isinstance(part, int) or len(part) % 4:
        raise _Broken("a list of floats is broken")
    return np.frombuffer(part, "<f4").astype(float).tolist()


def _ints(part: bytes | int) -> list[int]:
    if isinstance(part, int):
        return [part]
    out, at = [], 0
    while at < len(part):
        value, at = _varint(part, at)
        out.append(value)
    return out


def _bodies(data: bytes, wanted: int) -> list[bytes]:
    return [body for number, body in _fields(data) if number == wanted and isinstance(body, bytes)]


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a protocol buffer: numbers and bodies (an int for a varint)."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        length = {1: 8, 5: 4}.get(kind)
        if length is None:
            if kind != 2:
                raise _Broken(f"a field of kind {kind}")
            length, at = _varint(data, at)
        if length > len(data) - at:
            raise _Broken("a field ends beyond its record")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise _Broken("a number of more than 64 bits")
