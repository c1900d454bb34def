"""The public contract's own JSON: nothing is lost, down to the last bit of every float.

One document a video: `{"video", "labels", "tracks", "intervals"}`, each track with its keyframes, confidence and where
it comes from. Boxes that rest between two equal ones are no keyframes: interpolation gives them back exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from annotation.core.ontology import Ontology
from annotation.core.tracks import Bools, Ints
from annotation.formats.columns import Choice, Column, Exact, Whole, render
from annotation.formats.content import PIECE_ROWS, Content, VideoTracks, folder_names
from annotation.formats.regrouping import TrackRows, interpolated, last_rows, tracks_in_parts
from annotation.formats.texts import json_bytes
from annotation.formats.zipping import ZipWriter

FILE = "tracks.json"


def write_json(archive: ZipWriter, content: Content) -> None:
    """A zip with `<video name>/tracks.json` for each video."""
    folders = folder_names(v.video for v in content.videos)
    for i, (name, video) in enumerate(zip(folders, content.videos, strict=True)):
        with archive.open(f"{name}/{FILE}") as member:
            for text in contract_json(archive, f"{i}", video, content.ontology):
                member.write(text)


def contract_json(archive: ZipWriter, phase: str, video: VideoTracks, ontology: Ontology) -> Iterator[bytes]:
    """One video's document, bit by bit."""
    facts = asdict(video.video)
    step = facts.pop("step")
    del facts["picture"]
    head = {"video": facts | ({"frame_step": step} if step > 1 else {}), "labels": ontology.to_json()}
    yield json_bytes(head)[:-1] + b',"tracks":['
    tracks = _Tracks(video, ontology)
    for track in tracks_in_parts(archive, phase, video):
        yield from tracks.stretch(track)
    intervals = [{**asdict(i), "attributes": dict(i.attributes)} for i in video.intervals]
    yield b'\n],"intervals":' + json_bytes(intervals) + b"}\n"


class _Tracks:
    """The tracks of one video as text; from one stretch to the next it knows the attributes in force."""

    def __init__(self, video: VideoTracks, ontology: Ontology) -> None:
        self.video, self.ontology = video, ontology
        self.mutable = [{a.name for a in label.attributes if a.mutable} for label in ontology.labels]

    def stretch(self, track: TrackRows) -> Iterator[bytes]:
        if track.first:
            yield b",\n" if track.place else b"\n"
            yield self._head(track)
        changes, set_anew = self._changes(track)
        ends = last_rows(track, self.video.video.frame_count)
        rows = np.flatnonzero(~interpolated(track, set_anew | ends))
        for start in range(0, len(rows), PIECE_ROWS):
            text = _keyframes(track, rows[start : start + PIECE_ROWS], changes, ends)
            yield text[1:] if track.first and not start else text  # every keyframe begins with a comma
        if track.last:
            yield b"]}"

    def _head(self, track: TrackRows) -> bytes:
        label, video = self.ontology.labels[track.label], self.video
        state = track.attributes[track.states[track.own][0]]
        fixed = {n: v for n, v in state.items() if n not in self.mutable[track.label]}
        head: dict[str, Any] = {"id": str(track.number), "label": label.name, "attributes": fixed}
        if not np.isnan(track.confidence):
            head["confidence"] = track.confidence
        if track.number in video.provenance:
            head["provenance"] = dict(video.provenance[track.number])
        return json_bytes(head)[:-1] + b',"keyframes":['

    def _changes(self, track: TrackRows) -> tuple[tuple[list[bytes], Ints], Bools]:
        """Text for the attributes that own rows set anew: a table and each row's place in it; and which rows."""
        states, mutable = track.states[track.own], self.mutable[track.label]
        table, index = [b""], np.zeros(len(states), np.int64)
        turns = np.flatnonzero(np.append(True, np.diff(states) != 0))
        current = {} if track.first else self._values(track, track.states[0])
        for row in turns.tolist():
            values = {n: v for n, v in track.attributes[states[row]].items() if n in mutable}
            fresh = {n: v for n, v in values.items() if n not in current or current[n] != v}
            current |= fresh
            if fresh:
                index[row] = len(table)
                table.append(b',"attributes":' + json_bytes(fresh))
        return (table, index), index > 0

    def _values(self, track: TrackRows, state: int) -> dict[str, Any]:
        """The mutable attributes in force on the row before a stretch: attributes are never taken back."""
        return {n: v for n, v in track.attributes[state].items() if n in self.mutable[track.label]}


def _keyframes(track: TrackRows, rows: Ints, changes: tuple[list[bytes], Ints], ends: Bools) -> bytes:
    comma, points, frames = b",", track.boxes[track.own][rows], track.frames[track.own][rows]
    table, index = changes
    columns: list[Column] = [b',{"frame":', Whole(frames), b',"points":[']
    for i in range(4):
        columns += [Exact(points[:, i]), comma]
    columns[-1] = b'],"outside":false,"occluded":'
    columns += [
        Choice((b"false", b"true"), track.occluded[track.own][rows].astype(int)),
        Choice(table, index[rows]),
        b"}",
    ]
    gone = ends[rows].astype(int)
    columns += [Choice((b"", b',{"frame":'), gone), _only(frames + track.step, ends[rows])]
    columns.append(Choice((b"", b',"outside":true}'), gone))
    return render(len(rows), columns)


def _only(numbers: Ints, where: Bools) -> Column:
    """Numbers on a few rows, nothing elsewhere."""
    chosen = numbers[where].tolist()
    index = np.where(where, np.cumsum(where), 0)
    return Choice([b"", *(str(n).encode() for n in chosen)], index)
