"""The public contract's own JSON: nothing is lost, down to the last bit of every float.

One document a video: `{"video", "labels", "tracks", "intervals"}`, each track with its keyframes, confidence and where
it comes from. Boxes that rest between two equal ones are no keyframes: interpolation gives them back exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np

from annotation.core.ontology import Ontology
from annotation.core.tracks import Bools, Ints
from annotation.formats.columns import Choice, Column, Exact, Whole, render
from annotation.formats.content import PIECE_ROWS, Content, VideoTracks, folder_names
from annotation.formats.manifest import manifest_bytes
from annotation.formats.regrouping import TrackRows, by_track, last_rows, resting
from annotation.formats.texts import json_bytes
from annotation.formats.zipping import ZipWriter

FILE = "tracks.json"


def write_json(out: BinaryIO, content: Content) -> None:
    """A zip with `<video name>/tracks.json` for each video, and `manifest.json`."""
    archive = ZipWriter(out)
    for name, video in zip(folder_names(v.video for v in content.videos), content.videos, strict=True):
        with archive.open(f"{name}/{FILE}") as member:
            for text in contract_json(video, content.ontology):
                member.write(text)
    archive.add("manifest.json", manifest_bytes(content.manifest))
    archive.close()


def contract_json(video: VideoTracks, ontology: Ontology) -> Iterator[bytes]:
    """One video's document, bit by bit."""
    head = {"video": asdict(video.video), "labels": ontology.to_json()}
    yield json_bytes(head)[:-1] + b',"tracks":['
    comma = b""
    for track in by_track(video.pieces()):
        yield comma + b"\n"
        yield from _track(track, video, ontology)
        comma = b","
    intervals = [{**asdict(i), "attributes": dict(i.attributes)} for i in video.intervals]
    yield b'\n],"intervals":' + json_bytes(intervals) + b"}\n"


def _track(track: TrackRows, video: VideoTracks, ontology: Ontology) -> Iterator[bytes]:
    label = ontology.labels[track.label]
    mutable = {a.name for a in label.attributes if a.mutable}
    fixed = {n: v for s in track.states[:1] for n, v in track.attributes[s].items() if n not in mutable}
    head: dict[str, Any] = {"id": str(track.number), "label": label.name, "attributes": fixed}
    if not np.isnan(track.confidence):
        head["confidence"] = track.confidence
    if track.number in video.provenance:
        head["provenance"] = dict(video.provenance[track.number])
    yield json_bytes(head)[:-1] + b',"keyframes":['
    changes, kept = _changes(track, mutable)
    ends = last_rows(track, video.video.frame_count)
    rows = np.flatnonzero(kept | ~resting(track))
    for start in range(0, len(rows), PIECE_ROWS):
        text = _keyframes(track, rows[start : start + PIECE_ROWS], changes, ends)
        yield text[1:] if not start else text  # every keyframe begins with a comma
    yield b"]}"


def _keyframes(track: TrackRows, rows: Ints, changes: tuple[list[bytes], Ints], ends: Bools) -> bytes:
    comma, points = b",", track.boxes[rows]
    table, index = changes
    columns: list[Column] = [b',{"frame":', Whole(track.frames[rows]), b',"points":[']
    for i in range(4):
        columns += [Exact(points[:, i]), comma]
    columns[-1] = b'],"outside":false,"occluded":'
    columns += [Choice((b"false", b"true"), track.occluded[rows].astype(int)), Choice(table, index[rows]), b"}"]
    gone = ends[rows].astype(int)
    columns += [Choice((b"", b',{"frame":'), gone), _only(track.frames[rows] + 1, ends[rows])]
    columns.append(Choice((b"", b',"outside":true}'), gone))
    return render(len(rows), columns)


def _only(numbers: Ints, where: Bools) -> Column:
    """Numbers on a few rows, nothing elsewhere."""
    chosen = numbers[where].tolist()
    index = np.where(where, np.cumsum(where), 0)
    return Choice([b"", *(str(n).encode() for n in chosen)], index)


def _changes(track: TrackRows, mutable: set[str]) -> tuple[tuple[list[bytes], Ints], Bools]:
    """Text for the attributes that rows set anew: a table and each row's place in it; and which rows those are."""
    table, index = [b""], np.zeros(len(track.states), np.int64)
    turns = np.flatnonzero(np.append(True, np.diff(track.states) != 0))
    current: dict[str, Any] = {}
    for row in turns.tolist():
        values = {n: v for n, v in track.attributes[track.states[row]].items() if n in mutable}
        fresh = {n: v for n, v in values.items() if n not in current or current[n] != v}
        current |= fresh
        if fresh:
            index[row] = len(table)
            table.append(b',"attributes":' + json_bytes(fresh))
    return (table, index), index > 0
