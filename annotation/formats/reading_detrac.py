"""UA-DETRAC: the training set's XML, and the MAT files (version 5) of its evaluation kit.

Frames count from 1. In XML a target's `vehicle_type` is its label, and its other attributes are read where the project
has them; ignored regions are no objects. A MAT file knows places alone (the middle of a box's lower edge, its height
and width, a column for each object, zeros where it is away): its objects get the project's first label.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, MAX_BYTES, InvalidFile, refuse
from annotation.formats.assembling import PLACES, Boxes, Target, assemble
from annotation.formats.gathering import Gathered
from annotation.formats.mat import COMPRESSED, HEAD, byte_order, tables_in
from annotation.formats.typed import typed_attributes
from annotation.formats.xml_input import read_xml

MAT = b"MATLAB 5.0 MAT-file"
VEHICLE = "vehicle"


def read_detrac(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a sequence's XML or MAT file. InvalidFile names the lines (the columns) that are wrong."""
    target = target or Target()
    if data.startswith(MAT):
        return assemble(_from_mat(data, target), target)
    reader = _Reader(target, Problems())
    with reader.problems.raising(InvalidFile):
        read_xml(data, reader)
        if reader.root != "sequence":
            reader.problems.add(AT, f"the document's root is {shown(reader.root)}, not 'sequence'")
    return assemble(reader.found.boxes(), target)


@dataclass(slots=True)
class _Reader:
    """Takes the document's elements one after the other."""

    target: Target
    problems: Problems
    found: Gathered = field(default_factory=Gathered)
    root: str | None = None
    frame: int | None = None
    target_id: str | None = None
    seen: dict[str, dict[str, str]] = field(default_factory=dict)

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.root = self.root or name
        if name == "frame":
            number = attributes.get("num", "")
            self.frame = int(number) - 1 if number.isdecimal() and len(number) < 10 else None
            if self.frame is None:
                self.problems.add(AT, f"line {line}: a frame's num must be a whole number, not {shown(number)}")
        elif name == "target":
            self.target_id, self.seen = attributes.get("id", "")[:100], {}
        elif self.target_id is not None:
            self.seen.setdefault(name, attributes)

    def end(self, name: str, text: str, line: int) -> None:
        if name == "target" and self.target_id is not None and self.frame is not None:
            self._add(self.frame, self.target_id, line)
            self.target_id = None

    def _add(self, frame: int, track: str, line: int) -> None:
        try:
            left, top, width, height = (float(self.seen["box"][n]) for n in ("left", "top", "width", "height"))
        except (KeyError, ValueError) as error:
            self.problems.add(AT, f"line {line}: a box needs numbers left, top, width, height: {shown(str(error))}")
            return
        texts = dict(self.seen.get("attribute", {}))
        label = texts.pop("vehicle_type", VEHICLE)
        known = self.target.ontology.by_name.get(label) if self.target.ontology else None
        own = {n: t for n, t in texts.items() if known is None or n in known.by_name}
        box = (left, top, round(left + width, PLACES), round(top + height, PLACES))
        attributes = typed_attributes(own, label, self.target.ontology)
        self.found.add(line, frame, track, label, box, "occlusion" in self.seen, attributes)


def _from_mat(data: bytes, target: Target) -> Boxes:
    try:
        tables = tables_in(_inflated(data), "gtInfo")
        x, y, wide, high = (tables[name] for name in ("X", "Y", "W", "H"))
        numbers = tables["frameNums"].ravel()
    except InvalidFile:
        raise
    except (ValueError, LookupError, struct.error, zlib.error) as error:
        raise refuse(f"no UA-DETRAC MAT file: {shown(str(error))}") from None
    whole = np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all() and (np.abs(numbers) < 2**31).all()
    if not (x.shape == y.shape == wide.shape == high.shape and len(numbers) == len(x) and whole):
        raise refuse("X, Y, W and H must be tables of one size, with a row for each of frameNums")
    row, column = np.nonzero(wide)
    middle, bottom, wide, high = (a[row, column] for a in (x, y, wide, high))
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is no box
        edges = np.stack([middle - wide / 2, bottom - high, middle + wide / 2, bottom], axis=1)
        boxes = np.round(edges, PLACES).astype(np.float64)
    objects, keys = np.unique(column, return_inverse=True)
    label = (target.names or (VEHICLE,))[0]
    ids = [str(n + 1) for n in objects.tolist()]
    hidden = np.zeros(len(row), bool)
    frames = numbers[row].astype(np.int64) - 1
    return Boxes(frames, keys.ravel(), boxes, hidden, column + 1, ids, [label] * len(ids), where="column")


def _inflated(data: bytes) -> bytes:
    """The same without compression."""
    out: list[Any] = [data[:HEAD]]
    order, at, left = byte_order(data), HEAD, MAX_BYTES
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        body = data[at + 8 : at + 8 + size]
        if kind == COMPRESSED:
            body = zlib.decompressobj().decompress(body, left + 1)
        else:
            body = data[at : at + 8 + size]
        left -= len(body)
        if left < 0:
            raise refuse("the file unpacks to more than is read")
        out.append(body)
        at += 8 + size
    return b"".join(out)
