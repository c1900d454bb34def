"""The public contract's own JSON: nothing is lost, down to the last bit of every float.

One document a video: `{"video", "labels", "tracks", "intervals"}`, each track with its keyframes, confidence and where
it comes from. Boxes that rest between two equal ones are no keyframes: interpolation gives them back exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from annotation.core.ontology import Ontology
from annotation.core.tracks import Bools, Floats, Ints
from annotation.formats.columns import Choice, Column, Exact, Whole, render_rows, split
from annotation.formats.content import PIECE_ROWS, Content, VideoTracks, folder_names
from annotation.formats.regrouping import TrackRows, groups_in_parts, interpolated, last_rows, own_rows
from annotation.formats.texts import in_pieces, json_bytes, json_text
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
    tracks, there = _Tracks(video, ontology.drawn), set[int]()
    for group in groups_in_parts(archive, phase, video, there):
        yield from tracks.group(group)
    # A track may have no box among those that are selected; an interval of it would be of nothing.
    known = {None, *map(str, there)}
    kept = (i for i in video.intervals if i.track in known)
    intervals = [{**asdict(i), "attributes": dict(i.attributes)} for i in kept]
    yield b'\n],"intervals":' + json_bytes(intervals) + b"}\n"


class _Tracks:
    """The tracks of one video as text; from one stretch to the next it knows the attributes in force."""

    def __init__(self, video: VideoTracks, ontology: Ontology) -> None:
        self.video, self.ontology = video, ontology
        self.mutable = [{a.name for a in label.attributes if a.mutable} for label in ontology.labels]

    def group(self, group: list[TrackRows]) -> Iterator[bytes]:
        """Some stretches at once: a call for each of many short tracks would be most of the work."""
        changes = _Changes(group, self.mutable)
        frames, boxes, occluded, begins = own_rows(group)
        ends = np.concatenate([last_rows(track, self.video.video.frame_count) for track in group])
        rows = np.flatnonzero(~interpolated(group, changes.there | ends))
        of = np.searchsorted(begins, rows, side="right") - 1
        gone = frames + group[0].step
        for start in range(0, len(rows), PIECE_ROWS):
            here, tracks = rows[start : start + PIECE_ROWS], of[start : start + PIECE_ROWS]
            columns = _keyframes(frames[here], boxes[here], occluded[here], changes.of(here), ends[here], gone[here])
            text, lengths = render_rows(len(here), columns)
            found, counts = np.unique(tracks, return_counts=True)
            for place, piece in zip(found.tolist(), split(text, lengths, counts), strict=True):
                yield from self._piece(group[place], piece, begins[place] in here, begins[place + 1] - 1 in here)

    def _piece(self, track: TrackRows, text: bytes, first: bool, last: bool) -> Iterator[bytes]:
        """Keyframes of one stretch, with what stands before a track's first and after its last one."""
        if first and track.first:
            yield b",\n" if track.place else b"\n"
            yield from self._head(track)
        yield text[1:] if first and track.first else text  # every keyframe begins with a comma
        if last and track.last:
            yield b"]}"

    def _head(self, track: TrackRows) -> Iterator[bytes]:
        label, video = self.ontology.labels[track.label], self.video
        state = track.attributes[track.states[track.own][0]]
        fixed = {n: v for n, v in state.items() if n not in self.mutable[track.label]}
        head: dict[str, Any] = {"id": str(track.number), "label": label.name, "attributes": fixed}
        if not np.isnan(track.confidence):
            head["confidence"] = track.confidence
        yield json_bytes(head)[:-1]
        if track.number in video.provenance:
            yield b',"provenance":'
            yield from (text.encode() for text in in_pieces(video.provenance[track.number], json_text))
        yield b',"keyframes":['


class _Changes:
    """Text for the attributes that own rows of some stretches set anew, and which rows (`there`)."""

    def __init__(self, group: list[TrackRows], mutable: list[set[str]]) -> None:
        self.table = [b""]
        self.index = np.concatenate([self._of(track, mutable[track.label]) for track in group])
        self.there = self.index > 0

    def of(self, rows: Ints) -> Choice:
        return Choice(self.table, self.index[rows])

    def _of(self, track: TrackRows, mutable: set[str]) -> Ints:
        states = track.states[track.own]
        index = np.zeros(len(states), np.int64)
        turns = np.flatnonzero(np.append(True, np.diff(states) != 0))
        # What is in force on the row before a stretch: attributes are never taken back.
        current = {} if track.first else _only_of(mutable, track.attributes[track.states[0]])
        for row in turns.tolist():
            values = _only_of(mutable, track.attributes[states[row]])
            fresh = {n: v for n, v in values.items() if n not in current or current[n] != v}
            current |= fresh
            if fresh:
                index[row] = len(self.table)
                self.table.append(b',"attributes":' + json_bytes(fresh))
        return index


def _only_of(names: set[str], attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in attributes.items() if n in names}


def _keyframes(frames: Ints, boxes: Floats, occluded: Bools, changes: Choice, ends: Bools, gone: Ints) -> list[Column]:
    """A keyframe for each row, and where a track ends another one without a box, at the frame where it is gone."""
    columns: list[Column] = [b',{"frame":', Whole(frames), b',"points":[']
    for i in range(4):
        columns += [Exact(boxes[:, i]), b","]
    columns[-1] = b'],"outside":false,"occluded":'
    columns += [Choice((b"false", b"true"), occluded.astype(int)), changes, b"}"]
    columns += [Choice((b"", b',{"frame":'), ends.astype(int)), _only(gone, ends)]
    columns.append(Choice((b"", b',"outside":true}'), ends.astype(int)))
    return columns


def _only(numbers: Ints, where: Bools) -> Column:
    """Numbers on a few rows, nothing elsewhere."""
    chosen = numbers[where].tolist()
    index = np.where(where, np.cumsum(where), 0)
    return Choice([b"", *(str(n).encode() for n in chosen)], index)
