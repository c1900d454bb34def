"""CSV for spreadsheets and data frames: a line for each box (RFC 4180).

A cell that a spreadsheet would run as a formula (OWASP, "CSV injection") gets an apostrophe in front, and so does one
that begins with an apostrophe already, so that reading takes exactly one away.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotation.core.ontology import Ontology
from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, InvalidFile, refuse, text_of, the_member
from annotation.formats.assembling import Target, assemble
from annotation.formats.columns import Choice, Column, Fixed, Whole, render
from annotation.formats.content import Content, Rows, folder_names
from annotation.formats.gathering import Gathered
from annotation.formats.parting import rows_in_parts
from annotation.formats.texts import shares
from annotation.formats.typed import typed_attributes
from annotation.formats.xml_output import said
from annotation.formats.zipping import ZipWriter

LOSES = ("intervals", "which attributes may change", "empty texts", "coordinates beyond six decimal places")
HEAD = ("frame", "track", "label", "x1", "y1", "x2", "y2", "occluded", "confidence")
NEEDED = HEAD[:7]
ATTRIBUTE = "attribute:"
RISKY = ("=", "+", "-", "@", "\t", "\r", "'")


def write_csv(archive: ZipWriter, content: Content) -> None:
    """A zip with `<video name>.csv` for each video."""
    names = attribute_names(content.ontology)
    head = ",".join([*HEAD, *(cell(ATTRIBUTE + n) for n in names)]).encode() + b"\r\n"
    folders = folder_names(v.video for v in content.videos)
    for i, (folder, video) in enumerate(zip(folders, content.videos, strict=True)):
        with archive.open(f"{folder}.csv") as member:
            member.write(head)
            for rows in rows_in_parts(archive, f"{i}:rows", video):
                member.write(_lines(rows, content.ontology, names))


def attribute_names(ontology: Ontology) -> list[str]:
    """The names of all labels' attributes, each once, in the ontology's order."""
    return list(dict.fromkeys(a.name for label in ontology.labels for a in label.attributes))


def cell(value: Any) -> str:
    """A value as a cell: a text that would run is disarmed, one with commas, quotes or line ends is quoted."""
    text = said(value)
    if isinstance(value, str) and text.startswith(RISKY):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _lines(rows: Rows, ontology: Ontology, names: Sequence[str]) -> bytes:
    x1, y1, x2, y2 = rows.boxes.T
    labels = [cell(n).encode() for n in ontology.names]
    ends = [_end(a, names) for a in rows.attributes]
    known = np.isnan(rows.confidence)
    columns: list[Column] = [
        *(Whole(rows.frames), b",", Whole(rows.numbers), b",", Choice(labels, rows.labels), b",", Fixed(x1), b","),
        *(Fixed(y1), b",", Fixed(x2), b",", Fixed(y2), Choice((b",false", b",true"), rows.occluded.astype(np.int64))),
        *(shares(rows.confidence, b","), Choice((b"", b","), known.astype(np.int64)), Choice(ends, rows.states)),
    ]
    return render(len(rows), columns)


def _end(attributes: Mapping[str, Any], names: Sequence[str]) -> bytes:
    cells = ["," + (cell(attributes[n]) if n in attributes else "") for n in names]
    return "".join(cells).encode() + b"\r\n"


def read_csv(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a CSV with at least frame, track, label, x1, y1, x2, y2 in any order, or from a zip with one.

    A box without a track is a track of one frame. Columns that are not known are left out. InvalidFile names lines.
    """
    target, problems, found = target or Target(), Problems(), Gathered()
    text = text_of(the_member(data, ".csv", video), "the file")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    with problems.raising(InvalidFile):
        try:
            head = next(reader, [])
            missing = [n for n in NEEDED if n not in head]
            if missing:
                raise refuse(f"line 1: there is no column {', '.join(missing)}")
            for cells in reader:
                _add(found, dict(zip(head, cells, strict=False)), reader.line_num, target, problems)
        except csv.Error as error:
            problems.add(AT, f"line {reader.line_num}: no CSV: {error}")
    return assemble(found.boxes(), target)


def _add(found: Gathered, row: dict[str, str], line: int, target: Target, problems: Problems) -> None:
    if not row:
        return
    try:
        frame, box = int(row["frame"]), [float(row[n]) for n in NEEDED[3:]]
        track, label = _armed(row["track"]).strip() or None, _armed(row["label"])
    except KeyError as error:
        problems.add(AT, f"line {line}: the column {error} is missing")
        return
    except ValueError as error:
        problems.add(AT, f"line {line}: {shown(str(error))}")
        return
    if abs(frame) >= 2**31 or len(track or "") > 100:
        problems.add(AT, f"line {line}: the frame or the track's id is too long")
        return
    texts = {n.removeprefix(ATTRIBUTE): _armed(v) for n, v in row.items() if n.startswith(ATTRIBUTE) and v}
    attributes = typed_attributes(texts, label, target.ontology)
    found.add(line, frame, track, label, box, row.get("occluded", "").strip().lower() in ("true", "1"), attributes)


def _armed(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in RISKY else text
