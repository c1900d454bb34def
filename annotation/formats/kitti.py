"""KITTI tracking labels, as the benchmark's development kit describes them (cvlibs.net/datasets/kitti).

`frame track_id type truncated occluded alpha left top right bottom h w l x y z rotation_y`, frames from 0. What is not
known of the third dimension has the kit's own signs for it: -10 for angles, -1 for sizes, -1000 for places.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count

import numpy as np

from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, Archive, InvalidFile, is_zip, refuse, text_of
from annotation.formats.assembling import Target, assemble
from annotation.formats.columns import Choice, Column, Fixed, Whole, render
from annotation.formats.content import Content, Rows, Video, plain_name
from annotation.formats.gathering import Gathered
from annotation.formats.parting import rows_in_parts
from annotation.formats.zipping import ZipWriter

LOSES = ("attributes", "intervals", "confidence", "blanks in labels", "coordinates beyond six decimal places")
UNKNOWN = b" -1 -1 -1 -1000 -1000 -1000 -10\n"
SEQMAP = "evaluate_tracking.seqmap.training"
COLUMNS = (17, 18)
NO_OBJECT = "DontCare"


def write_kitti(archive: ZipWriter, content: Content) -> None:
    """A zip with `label_02/0000.txt` and so on, the kit's list of sequences, `sequences.txt` with the videos' names."""
    types = [kind.encode() for kind in _types(content.ontology.names).values()]
    sequences, names = "", ""
    for i, video in enumerate(content.videos):
        with archive.open(f"label_02/{i:04}.txt") as member:
            for rows in rows_in_parts(archive, f"{i}:rows", video):
                member.write(_lines(rows, video.video, types))
        sequences += f"{i:04} empty 000000 {video.video.frame_count:06}\n"
        names += f"{i:04} {' '.join(video.video.name.split())}\n"
    archive.add(SEQMAP, sequences.encode())
    archive.add("sequences.txt", names.encode())


def kitti_picture(index: int, folder: str, video: Video, frame: int) -> str:
    """Where the kit keeps a frame's picture, counted from 0."""
    return f"image_02/{index:04}/{frame:06}.{video.picture}"


def _types(names: Sequence[str]) -> dict[str, str]:
    """The type of each label: its name with `_` for blanks, numbered where that is another's or the kit's own sign."""
    plain = {name: re.sub(r"\s", "_", name) for name in names}
    types = {name: name for name in names if plain[name] == name and name.lower() != NO_OBJECT.lower()}
    taken = set(types)
    for name in (n for n in names if n not in types):
        kind, numbered = plain[name], (f"{plain[name]}-{n}" for n in count(2))
        while kind in taken or kind.lower() == NO_OBJECT.lower():
            kind = next(numbered)
        types[name] = kind
        taken.add(kind)
    return {name: types[name] for name in names}


def _lines(rows: Rows, video: Video, types: Sequence[bytes]) -> bytes:
    x1, y1, x2, y2 = rows.boxes.T
    beyond = (x1 < 0) | (y1 < 0) | (x2 > video.width) | (y2 > video.height)
    columns: list[Column] = [
        *(Whole(rows.frames), b" ", Whole(rows.numbers), b" ", Choice(types, rows.labels)),
        *(b" ", Whole(beyond.astype(np.int64)), b" ", Whole(rows.occluded.astype(np.int64)), b" -10"),
        *(b" ", Fixed(x1), b" ", Fixed(y1), b" ", Fixed(x2), b" ", Fixed(y2), UNKNOWN),
    ]
    return render(len(rows), columns)


def read_kitti(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from one sequence's text, or from a zip with one in `label_02/` (`video`: its name or its four digits).

    `DontCare` regions are no objects and are left out, unless that is a label of the project and the track is not -1;
    occlusion of degree 1 to 3 is occluded. Labels are compared with the project's as they would be written.
    InvalidFile names the lines that are wrong.
    """
    target, problems, found = target or Target(), Problems(), Gathered()
    text = text_of(_unzipped(data, video, target.place), "the file")
    named = {kind: name for name, kind in _types(target.names or ()).items()}
    with problems.raising(InvalidFile):
        for number, line in enumerate(text.splitlines(), 1):
            cells = line.split()
            if not cells or (cells[2:3] == [NO_OBJECT] and (cells[1] == "-1" or NO_OBJECT not in named.values())):
                continue
            problem = _problem(cells)
            if problem:
                problems.add(AT, f"line {number}: {problem}")
                continue
            label, box = named.get(cells[2], cells[2]), tuple(map(float, cells[6:10]))
            found.add(number, int(cells[0]), str(int(cells[1])), label, box, cells[4] in ("1", "2", "3"))
    return assemble(found.boxes(), target)


def _problem(cells: list[str]) -> str | None:
    if len(cells) not in COLUMNS:
        return f"has {len(cells)} columns; there must be 17, or 18 with a score"
    if not (re.fullmatch(r"[0-9]{1,9}", cells[0]) and re.fullmatch(r"[0-9]{1,18}", cells[1])):
        return "frame and track must be whole numbers from 0"
    for cell in cells[6:10]:
        try:
            float(cell)
        except ValueError:
            return f"{shown(cell)} is no number"
    return None


def _unzipped(data: bytes, video: str | None, place: int | None) -> bytes:
    if not is_zip(data):
        return data
    archive = Archive(data)
    found = [n for n in archive.names if n.split("/")[-2:-1] == ["label_02"] and n.endswith(".txt")]
    if place is not None:
        found = [n for n in found if n.endswith(f"/{place:04}.txt")]
    elif video is not None and len(found) > 1:
        lists = archive.find("sequences.txt")
        lines = text_of(archive.read(lists[0]), lists[0]).splitlines() if lists else []
        wanted = {video, " ".join(video.split())}  # of a name, blanks are lost
        digits = {line[:4] for line in lines if wanted & {line[5:], plain_name(line[5:])}} or {video}
        found = [n for n in found if n.rsplit("/", 1)[-1].removesuffix(".txt") in digits]
    if len(found) != 1:
        raise refuse(f"the zip must hold one text in label_02/ for the video; it holds {len(found)}")
    return archive.read(found[0])
