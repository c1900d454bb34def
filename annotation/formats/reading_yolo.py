"""Ultralytics YOLO labels, from a zip with `data.yaml` or with the project's own labels in order."""

from __future__ import annotations

import numpy as np

from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, Archive, InvalidFile, is_zip, refuse, text_of
from annotation.formats.assembling import PLACES, Target, assemble
from annotation.formats.gathering import Gathered
from annotation.formats.per_frame import frame_of, own_paths, stem_of
from annotation.formats.tables import read_table

COLUMNS = range(5, 7)
MOST_CHARACTERS = 100_000  # of data.yaml: some thousands of classes, read in a second


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
            _read(archive, path, frame_of(stem_of(path)), names, target, found, problems)
    return assemble(found.boxes(), target)


def _paths(archive: Archive, video: str | None) -> list[str]:
    """The label files of the video: all there are, unless they are of several."""
    paths = [p for p in archive.names if p.endswith(".txt") and "labels" in p.split("/")[:-1]]
    if not paths:
        raise refuse("there is no text in labels/")
    return own_paths(paths, video, "the texts in labels/")


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
    """The names that `data.yaml` gives, as a list or by numbers from 0. Empty without any."""
    import yaml

    paths = archive.find("data.yaml")
    if not paths:
        return []
    text = text_of(archive.read(paths[0]), paths[0])
    if len(text) > MOST_CHARACTERS:
        raise refuse(f"data.yaml is longer than {MOST_CHARACTERS} characters")
    try:
        # Of this loader all that is no list or mapping is text, whatever it looks like: a class may be called "no".
        document = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise refuse(f"data.yaml cannot be read: {shown(str(error))}") from None
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, dict) and set(names) == {str(n) for n in range(len(names))}:
        names = [names[str(n)] for n in range(len(names))]
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise refuse("data.yaml: names must be a list, or numbers from 0 with a name each")
    return names or []
