"""TFRecord with a `tf.train.Example` for each frame, features as TensorFlow's object detection API names them.

Boxes are shares of the picture as 32-bit floats; `image/object/track/id` and `image/object/occluded` are ours. The
framing (length and masked CRC-32C before and after) and the protocol buffers are written here by hand: they are two
pages, and TensorFlow is a gigabyte. Pictures are in it where they are asked for, as `image/encoded`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from annotation.core.tracks import Ints
from annotation.formats.content import Content, Rows, Video, VideoTracks, folder_names
from annotation.formats.crc import masked_crcs
from annotation.formats.parting import rows_in_parts
from annotation.formats.per_frame import counts_of, frame_stem
from annotation.formats.texts import quoted_text
from annotation.formats.zipping import Member, ZipWriter

LOSES = ("attributes", "intervals", "confidence", "coordinates beyond 24 bits of the picture's size")
EDGES = ("xmin", "ymin", "xmax", "ymax")


def write_tfrecord(archive: ZipWriter, content: Content) -> None:
    """A zip with `<video name>.tfrecord` for each video, `label_map.pbtxt` and `manifest.json`."""
    names = content.ontology.names
    folders = folder_names(v.video for v in content.videos)
    for i, (name, video) in enumerate(zip(folders, content.videos, strict=True)):
        with archive.open(f"{name}.tfrecord") as member:
            for rows in rows_in_parts(archive, f"{i}:rows", video):
                _write_records(member, name, video, rows, [n.encode() for n in names])
    items = [f"item {{\n  id: {i}\n  name: {quoted_text(n)}\n}}\n" for i, n in enumerate(names, 1)]
    archive.add("label_map.pbtxt", "".join(items).encode())


def _write_records(member: Member, name: str, video: VideoTracks, rows: Rows, labels: Sequence[bytes]) -> None:
    facts = video.video
    same = _feature(b"image/height", _ints([facts.height])) + _feature(b"image/width", _ints([facts.width]))
    same += _feature(b"image/format", _field(1, _field(1, b"png" if facts.picture == "png" else b"jpeg")))
    frames = facts.frames(rows.start, rows.stop)
    texts = zip(frames, _objects(rows, facts, labels), strict=True)
    examples = (same + _named(name, f, facts) + o for f, o in texts)
    if video.pictures is None:
        member.write(framed([_field(1, e) for e in examples]))
        return
    for frame, example in zip(frames, examples, strict=True):  # a picture at a time
        shown = video.pictures(frame)
        encoded = b"" if shown is None else _feature(b"image/encoded", _field(1, _field(1, shown)))
        member.write(framed([_field(1, example + encoded)]))


def framed(records: Sequence[bytes]) -> bytes:
    """Records in TFRecord's framing."""
    lengths = [struct.pack("<Q", len(r)) for r in records]
    before, after = masked_crcs(lengths).tolist(), masked_crcs(records).tolist()
    parts = [
        a + struct.pack("<I", b) + r + struct.pack("<I", c)
        for a, b, r, c in zip(lengths, before, records, after, strict=True)
    ]
    return b"".join(parts)


def _named(name: str, frame: int, video: Video) -> bytes:
    stem = frame_stem(name, frame).encode()
    texts = _feature(b"image/filename", _field(1, _field(1, stem + b"." + video.picture.encode())))
    texts += _feature(b"image/source_id", _field(1, _field(1, stem)))
    return texts + _feature(b"image/frame", _ints([frame]))


def _objects(rows: Rows, video: Video, labels: Sequence[bytes]) -> list[bytes]:
    """For each frame of the range the features of its boxes."""
    counts = counts_of(rows, video.frames(rows.start, rows.stop))
    shares = (rows.boxes / np.array([video.width, video.height] * 2)).astype("<f4")
    floats = [_cut(shares[:, i].tobytes(), 4, counts) for i in range(4)]
    texts = _picked([_field(1, n) for n in labels], rows.labels, counts)
    classes = _picked([_varint(i + 1) for i in range(len(labels))], rows.labels, counts)
    distinct, index = np.unique(rows.numbers, return_inverse=True)
    tracks = _picked([_varint(n) for n in distinct.tolist()], index.ravel(), counts)
    hidden = _picked((b"\0", b"\1"), rows.occluded.astype(np.int64), counts)
    out = []
    for i in range(len(counts)):
        edges = [
            _feature(f"image/object/bbox/{e}".encode(), _field(2, _field(1, f[i])))
            for e, f in zip(EDGES, floats, strict=True)
        ]
        out.append(
            b"".join(edges)
            + _feature(b"image/object/class/text", _field(1, texts[i]))
            + _feature(b"image/object/class/label", _field(3, _field(1, classes[i])))
            + _feature(b"image/object/track/id", _field(3, _field(1, tracks[i])))
            + _feature(b"image/object/occluded", _field(3, _field(1, hidden[i])))
        )
    return out


def _picked(table: Sequence[bytes], index: Ints, counts: Ints) -> list[bytes]:
    """For each frame what its boxes pick from a table, joined."""
    picked = list(map(table.__getitem__, index.tolist()))
    ends = np.concatenate([[0], np.cumsum(counts)]).tolist()
    return [b"".join(picked[a:b]) for a, b in zip(ends[:-1], ends[1:], strict=True)]


def _cut(raw: bytes, size: int, counts: Ints) -> list[bytes]:
    ends = (np.concatenate([[0], np.cumsum(counts)]) * size).tolist()
    return [raw[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]


def _feature(name: bytes, feature: bytes) -> bytes:
    """An entry of the map of features."""
    return _field(1, _field(1, name) + _field(2, feature))


def _ints(values: Sequence[int]) -> bytes:
    return _field(3, _field(1, b"".join(map(_varint, values))))


def _field(number: int, body: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return bytes([number << 3 | 2]) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
