"""Ultralytics YOLO labels, from a zip with `data.yaml` or with the project's own labels in order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np

from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, Archive, InvalidFile, is_zip, refuse, text_of
from annotation.formats.assembling import PLACES, Target, assemble
from annotation.formats.gathering import Gathered
from annotation.formats.per_frame import frame_of
from annotation.formats.tables import read_table

COLUMNS = range(5, 7)
UNREADABLE = "data.yaml: names must be a list, or numbers from 0 with a name each"
_QUOTED = r'"(?:[^"\\]|\\.)*+"|\'(?:[^\']|\'\')*+\''
_NUMBER = r"(?:(?P<number>[0-9]{1,6})\s*+:\s)?\s*+"
# An entry of a list in brackets, with what ends it; and one on a line of its own, maybe with a comment.
_ENTRY = re.compile(rf"\s*+{_NUMBER}(?P<name>{_QUOTED}|[^,\[\]{{}}\"'#][^,\[\]{{}}#]*+)\s*+(?P<end>[,\]}}])")
_LINE = re.compile(rf"\s*+(?:-\s++|{_NUMBER})(?P<name>{_QUOTED}|[^\"'\[{{&*#\s](?:(?!\s#).)*+)\s*+(?:#.*+)?")


def read_yolo(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Boxes from a zip of label files, each a track of one frame unless a sixth column gives the track's id.

    Frames are numbered from 0 by the last number in a file's name; of several videos, which differ in what stands
    beside that number, `video` is the one of that name. The target must say the picture's size. InvalidFile names
    files and lines.
    """
    target = target or Target()
    if not is_zip(data):
        raise refuse("a zip with labels/ is needed: a text alone does not say which frame it is")
    if not target.width or not target.height:
        raise refuse("the picture's size is needed: the file has shares of it")
    archive, problems, found = Archive(data), Problems(), Gathered("box")
    names = _names(archive) or list(target.names or [])
    with problems.raising(InvalidFile):
        for path in _paths(archive, video):
            _read(archive, path, frame_of(_stem(path)), names, target, found, problems)
    return assemble(found.boxes(), target)


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".txt")


def _paths(archive: Archive, video: str | None) -> list[str]:
    """The label files of the video: all there are, unless they are of several."""
    found: dict[str, list[str]] = {}
    for path in archive.names:
        if path.endswith(".txt") and "labels" in path.split("/")[:-1]:
            found.setdefault(re.sub(r"[0-9]++(?=[^0-9]*+$)", "", _stem(path)), []).append(path)
    if not found:
        raise refuse("there is no text in labels/")
    if video is None:
        return sorted(path for paths in found.values() for path in paths)
    own = found.get(f"{video}_") or (next(iter(found.values())) if len(found) == 1 else None)
    if own is None:
        few = ", ".join(shown(name) for name in sorted(found)[:10])
        raise refuse(f"the texts in labels/ are of several videos, none of which is {shown(video)}: {few}")
    return own


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
    """The names that `data.yaml` lists: by numbers or as a list, in brackets or a line each. Empty without any."""
    paths = archive.find("data.yaml")
    if not paths:
        return []
    lines = text_of(archive.read(paths[0]), paths[0]).splitlines()
    at = next((i for i, line in enumerate(lines) if re.match(r"names\s*+:", line)), None)
    if at is None:
        return []
    rest = lines[at].partition(":")[2].strip()
    block = not rest or rest.startswith("#")
    named = list(_lines(lines[at + 1 :]) if block else _entries("\n".join([rest, *lines[at + 1 :]])))
    numbers = [int(number) for number, _ in named if number is not None]
    if numbers and sorted(numbers) != list(range(len(named))):
        raise refuse(UNREADABLE)
    return [name for _, name in (sorted(named, key=lambda one: int(one[0] or 0)) if numbers else named)]


def _lines(lines: list[str]) -> Iterator[tuple[str | None, str]]:
    """Numbers and names of a block, which ends where a line begins that is neither further in nor of a list."""
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith((" ", "-")) or line.startswith("---"):
            return
        entry = _LINE.fullmatch(line)
        if entry is None or (entry["number"] is None and not line.lstrip().startswith("-")):
            raise refuse(UNREADABLE)
        yield entry["number"], _unquoted(entry["name"])


def _entries(text: str) -> Iterator[tuple[str | None, str]]:
    """Numbers and names of what stands in brackets at the beginning of a text, over as many lines as that takes."""
    ends, at = {"[": "]", "{": "}"}.get(text[0]), 1
    while ends and not re.compile(rf"\s*+\{ends}").match(text, at):
        entry = _ENTRY.match(text, at)
        if entry is None or entry["end"] not in (",", ends) or (entry["number"] is None) != (ends == "]"):
            raise refuse(UNREADABLE)
        yield entry["number"], _unquoted(entry["name"])
        at = entry.end()
        if entry["end"] == ends:
            return
    if ends is None:
        raise refuse(UNREADABLE)


def _unquoted(text: str) -> str:
    text = text.strip()
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    if text[:1] != '"':
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        raise refuse(UNREADABLE) from None
