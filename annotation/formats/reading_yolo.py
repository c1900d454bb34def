"""Ultralytics YOLO labels, from a zip with `data.yaml` or with the project's own labels in order."""

from __future__ import annotations

import json
import re

import numpy as np

from annotation.core.problems import Problems
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, Archive, InvalidFile, is_zip, refuse, text_of
from annotation.formats.assembling import PLACES, Target, assemble
from annotation.formats.gathering import Gathered
from annotation.formats.per_frame import frame_of
from annotation.formats.tables import read_table

COLUMNS = range(5, 7)


def read_yolo(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Boxes from a zip of label files, each a track of one frame unless a sixth column gives the track's id.

    Frames are numbered from 0 by the last number in a file's name; `video` takes only the names that begin with it.
    The target must say the picture's size. InvalidFile names files and lines.
    """
    target = target or Target()
    if not is_zip(data):
        raise refuse("a zip with labels/ is needed: a text alone does not say which frame it is")
    if not target.width or not target.height:
        raise refuse("the picture's size is needed: the file has shares of it")
    archive, problems, found = Archive(data), Problems(), Gathered("box")
    names = _names(archive) or list(target.names or [])
    with problems.raising(InvalidFile):
        for path in archive.names:
            stem = path.rsplit("/", 1)[-1].removesuffix(".txt")
            wanted = video is None or stem.startswith(f"{video}_")
            if path.endswith(".txt") and "labels" in path.split("/")[:-1] and wanted:
                _read(archive, path, frame_of(stem), names, target, found, problems)
    return assemble(found.boxes(), target)


def _read(
    archive: Archive,
    path: str,
    frame: int | None,
    names: list[str],
    target: Target,
    found: Gathered,
    problems: Problems,
) -> None:
    if frame is None:
        problems.add(AT, f"{path}: there is no frame number in its name")
        return
    try:
        table, lines = read_table(text_of(archive.read(path), path), COLUMNS, delimiter=None)
    except InvalidFile as error:
        problems.add(AT, f"{path}: {error.errors[0].message}")
        return
    size = np.array([target.width, target.height] * 2, float)
    middle, side = table[:, 1:3] * size[:2], table[:, 3:5] * size[2:]
    corners = np.round(np.concatenate([middle - side / 2, middle + side / 2], axis=1), PLACES - 3)
    for row, line, box in zip(table.tolist(), lines.tolist(), corners.tolist(), strict=True):
        if row[0] not in range(len(names)):
            problems.add(AT, f"{path} line {line}: there is no class {row[0]:g}; classes are 0 to {len(names) - 1}")
            continue
        track = str(int(row[5])) if len(row) > 5 and abs(row[5]) < 2**53 else None
        found.add(len(found.frames), frame, track, names[int(row[0])], box)


def _names(archive: Archive) -> list[str]:
    """The names that `data.yaml` lists, as `0: name` below `names:` or as a list; quotes as JSON's or none."""
    paths = archive.find("data.yaml")
    if not paths:
        return []
    text = text_of(archive.read(paths[0]), paths[0])
    block = re.search(r"^names:[ \t]*(\[.*\])?[ \t]*\n((?:[ \t]+\S.*\n?|-.*\n?)*)", text, re.MULTILINE)
    if block is None:
        return []
    if block[1]:
        return [_unquoted(part) for part in block[1][1:-1].split(",")]
    lines = [line.strip() for line in block[2].splitlines()]
    return [_unquoted(line[1:] if line.startswith("-") else line.partition(":")[2]) for line in lines]


def _unquoted(text: str) -> str:
    text = text.strip()
    if text[:1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text.strip('"')
    return text.strip("'")
