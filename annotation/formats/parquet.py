"""Parquet for data frames: a row for each box. pyarrow does the work (docs/decisions/ says why it is here).

Columns: frame, track, label, x1, y1, x2, y2, occluded, confidence (null where unknown), attributes (JSON of those in
force). It is imported at the first use: it takes 50 MB, which no other process should pay for.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from annotation.core.ontology import Ontology
from annotation.core.problems import shown
from annotation.core.tracks import Bools, Tracks
from annotation.formats.archives import MAX_BYTES, refuse, the_member
from annotation.formats.assembling import Target, assemble
from annotation.formats.content import Content, Rows, VideoTracks, folder_names, pieces_of
from annotation.formats.gathering import Gathered
from annotation.formats.texts import json_bytes
from annotation.formats.zipping import ZipWriter

if TYPE_CHECKING:
    import pyarrow as pa

LOSES = ("intervals", "which attributes may change")
GROUP = 100_000
BATCH = 10_000
# What we write of eleven hours; a row takes 300 bytes while it is read.
MOST_ROWS = 10_000_000
TEXTS = ["label", "attributes"]
NEEDED = ("frame", "track", "label", "x1", "y1", "x2", "y2")


def write_parquet(archive: ZipWriter, content: Content) -> None:
    """A zip with `<video name>.parquet` for each video."""
    folders = folder_names(v.video for v in content.videos)
    for i, (name, video) in enumerate(zip(folders, content.videos, strict=True)):
        at = archive.begin(f"{i}:rows")
        if at is None or at:
            continue
        with tempfile.TemporaryFile() as file, archive.open(f"{name}.parquet") as member:
            _write_table(file, video, content.ontology)
            file.seek(0)
            shutil.copyfileobj(file, member, 1 << 20)
        archive.note(f"{i}:rows", partial(dict, done=True), 1.0)


def _write_table(file: Any, video: VideoTracks, ontology: Ontology) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own would keep what it frees from everybody else
    # Dictionaries of numbers that hardly repeat would cost time and memory for nothing.
    with pq.ParquetWriter(file, _schema(), compression="zstd", use_dictionary=["label", "attributes"]) as writer:
        for rows in (piece for part in video.parts(0) for piece in pieces_of(part, GROUP)):
            writer.write_table(_table(rows, ontology), row_group_size=GROUP)


def _schema() -> pa.Schema:
    import pyarrow as pa

    texts = pa.dictionary(pa.int32(), pa.string())
    edges = [(name, pa.float64()) for name in ("x1", "y1", "x2", "y2")]
    flags = [("occluded", pa.bool_()), ("confidence", pa.float64()), ("attributes", texts)]
    return pa.schema([("frame", pa.int64()), ("track", pa.int64()), ("label", texts), *edges, *flags])


def _table(rows: Rows, ontology: Ontology) -> pa.Table:
    import pyarrow as pa

    states = _texts([json_bytes(dict(a)) for a in rows.attributes])
    labels = _texts([name.encode() for name in ontology.names])
    columns = [
        _column(rows.frames, pa.int64()),
        _column(rows.numbers, pa.int64()),
        pa.DictionaryArray.from_arrays(_column(rows.labels.astype(np.int32), pa.int32()), labels),
        *(_column(rows.boxes[:, i], pa.float64()) for i in range(4)),
        _column(np.packbits(rows.occluded, bitorder="little"), pa.bool_(), len(rows)),
        _column(rows.confidence, pa.float64(), known=~np.isnan(rows.confidence)),
        pa.DictionaryArray.from_arrays(_column(rows.states.astype(np.int32), pa.int32()), states),
    ]
    return pa.table(columns, schema=_schema())


def _column(values: Any, kind: pa.DataType, count: int | None = None, known: Bools | None = None) -> pa.Array:
    """Numbers as they lie in memory. `pa.array` would import pandas, 50 MB, wherever that is at hand."""
    import pyarrow as pa

    bits = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    body = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values) if count is None else count, [bits, body])


def _texts(texts: Sequence[bytes]) -> pa.Array:
    import pyarrow as pa

    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])


def read_parquet(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a Parquet file with at least frame, track, label, x1, y1, x2, y2, or from a zip with one.

    Without `track` (null) a box is a track of one frame. InvalidFile names rows from 0.
    """
    target, found = target or Target(), Gathered("row")
    for i, row in enumerate(_rows(the_member(data, ".parquet", video))):
        _add(found, i, row)
    return assemble(found.boxes(), target)


def _rows(data: bytes) -> Iterator[dict[str, Any]]:
    """The rows, some thousand of them unpacked at a time: a million equal ones take a few hundred bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(pa.BufferReader(data))
        texts = [n for n in TEXTS if n in about.schema.names]
        file = pq.ParquetFile(pa.BufferReader(data), metadata=about, read_dictionary=texts)
        names = [n for n in (*NEEDED, "occluded", "attributes") if n in file.schema_arrow.names]
        missing = sorted(set(NEEDED) - set(names))
        if missing:
            raise refuse(f"there is no column {', '.join(missing)}")
        if about.num_rows > MOST_ROWS:
            raise refuse(f"it has {about.num_rows} rows; at most {MOST_ROWS} are read")
        if sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups)) > MAX_BYTES:
            raise refuse("it unpacks to more than is read")
        for batch in file.iter_batches(BATCH, columns=names):
            columns = [_values(batch.column(name)) for name in names]
            for row in zip(*columns, strict=True):
                yield dict(zip(names, row, strict=True))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise error if type(error).__name__ == "InvalidFile" else refuse(f"no Parquet: {shown(str(error))}") from None


def _values(column: Any) -> list[Any]:
    """A column's values; a text that many rows share is one object."""
    import pyarrow as pa

    column.validate(full=True)  # damage may point beyond the texts
    if not pa.types.is_dictionary(column.type):
        return list(column.to_pylist())
    texts = column.dictionary.to_pylist()
    return [None if i is None else texts[i] for i in column.indices.to_pylist()]


def _add(found: Gathered, i: int, row: dict[str, Any]) -> None:
    frame, track, label = row["frame"], row["track"], row["label"]
    box = [row[n] for n in NEEDED[3:]]
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in box]
    if type(frame) is not int or abs(frame) >= 2**31 or not isinstance(label, str) or not all(numbers):
        raise refuse(f"row {i}: frame, label and coordinates must be a whole number, a text and numbers")
    attributes: Any = {}
    try:
        attributes = json.loads(row.get("attributes") or "{}")
    except (ValueError, TypeError, RecursionError):
        raise refuse(f"row {i}: attributes are no JSON") from None
    if not isinstance(attributes, dict):
        raise refuse(f"row {i}: attributes are no JSON object")
    found.add(i, frame, None if track is None else str(track), label, box, row.get("occluded") is True, attributes)
