"""MOTChallenge text: `frame,id,x,y,w,h,conf,class,visibility`, one line for each box.

Frames and classes count from 1; x and y are the left and top edge, unshifted; conf is 1 and visibility 0 for occluded.
Layout as the MOTChallenge benchmark lays out its sequences (motchallenge.net/instructions), which trackeval reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from annotation.core.problems import Problems
from annotation.core.tracks import Floats, Ints, Tracks
from annotation.formats.archives import AT, Archive, InvalidFile, is_zip, lines_of, refuse, text_of
from annotation.formats.assembling import Boxes, Target, assemble, corners
from annotation.formats.columns import Choice, Column, Fixed, Whole, render
from annotation.formats.content import Content, Rows, Video, folder_names
from annotation.formats.parting import rows_in_parts
from annotation.formats.tables import read_table
from annotation.formats.zipping import ZipWriter

COLUMNS = range(6, 11)
LARGEST = 2**50
MOST_CLASSES = 1000
LOSES = (
    "attributes",
    "intervals",
    "confidence",
    "coordinates beyond six decimal places",
)


def write_mot(archive: ZipWriter, content: Content) -> None:
    """A zip with `<video name>/gt/gt.txt`, `gt/labels.txt` and `seqinfo.ini` for each video."""
    names = folder_names(v.video for v in content.videos)
    for i, (name, video) in enumerate(zip(names, content.videos, strict=True)):
        archive.add(f"{name}/seqinfo.ini", _seqinfo(name, video.video))
        archive.add(f"{name}/gt/labels.txt", "\n".join(content.ontology.names).encode())
        with archive.open(f"{name}/gt/gt.txt") as member:
            for rows in rows_in_parts(archive, f"{i}:rows", video):
                member.write(mot_lines(rows))


def mot_picture(index: int, folder: str, video: Video, frame: int) -> str:
    """Where the benchmark keeps a frame's picture, counted from 1."""
    return f"{folder}/img1/{frame + 1:06}.{video.picture}"


def mot_lines(rows: Rows) -> bytes:
    """The lines of some rows, in their order: by frame, then track."""
    x1, y1, x2, y2 = np.round(rows.boxes, 6).T  # before the difference, so that x + w is x2 to the last digit
    comma = b","
    columns: list[Column] = [Whole(rows.frames + 1), comma, Whole(rows.numbers), comma]
    for values in (x1, y1, x2 - x1, y2 - y1):
        columns += [Fixed(values), comma]
    columns += [b"1,", Whole(rows.labels + 1), Choice((b",1\n", b",0\n"), rows.occluded.astype(int))]
    return render(len(rows), columns)


def _seqinfo(name: str, video: Video) -> bytes:
    lines = {
        "name": name,
        "imDir": "img1",
        "frameRate": max(1, round(video.fps)),  # readers take nothing but whole numbers here
        "seqLength": video.frame_count,
        "imWidth": video.width,
        "imHeight": video.height,
        "imExt": f".{video.picture}",
    }
    return ("[Sequence]\n" + "".join(f"{k}={v}\n" for k, v in lines.items())).encode()


def read_mot(
    data: bytes | str, target: Target | None = None, *, rules: str = "auto", video: str | None = None
) -> Tracks:
    """Tracks from gt.txt's text, or from a zip that holds `<name>/gt/gt.txt` (`video` says which where it holds many).

    Classes are places in `target.names`, counted from 1. `rules`: `ours` as written here; `mot15` keeps every row,
    has no classes (the first name is meant) and may have world coordinates at the end; `mot17` keeps rows whose conf
    is 1 and whose class is 1; `auto` takes mot15 for rows of 7, 8 or 10 columns, mot17 for nine where a conf is 0.
    InvalidFile lists the lines that are wrong.
    """
    target, text, names = target or Target(), data, None
    if isinstance(data, bytes):
        text, names = _unzipped(data, video) if is_zip(data) else (text_of(data, "the file"), None)
    table, lines = read_table(str(text), COLUMNS)
    if rules == "auto":
        nine = table.shape[1] == 9
        rules = "mot15" if not nine else "mot17" if np.any(table[:, 6] == 0) else "ours"
    if rules == "mot17":
        kept = (table[:, 6] == 1) & (table[:, 7] == 1)
        table, lines = table[kept], lines[kept]
    classes = np.ones(len(table)) if rules != "ours" or table.shape[1] < 8 else table[:, 7]
    return _tracks(table, lines, classes, names or target.names, target)


def _tracks(table: Floats, lines: Ints, classes: Floats, names: Sequence[str] | None, target: Target) -> Tracks:
    labels = list(names or [f"class {n}" for n in range(1, int(min(classes.max(initial=1), MOST_CLASSES)) + 1)])
    problems = Problems()
    with problems.raising(InvalidFile):
        head = table[:, :2]
        whole = ((head == np.floor(head)) & (head >= 1) & (head <= LARGEST)).all(axis=1)
        for i in np.flatnonzero(~whole):
            problems.add(AT, f"line {lines[i]}: frame and id must be whole numbers from 1")
        for i in np.flatnonzero(~np.isin(classes, np.arange(1, len(labels) + 1))):
            problems.add(AT, f"line {lines[i]}: there is no class {classes[i]:g}; classes are 1 to {len(labels)}")
    pairs, keys = np.unique(np.stack([table[:, 1], classes], axis=1).astype(np.int64), axis=0, return_inverse=True)
    ids, label_of = pairs[:, 0].tolist(), pairs[:, 1].tolist()
    times = Counter(ids)
    hidden = table[:, 8] < 0.5 if table.shape[1] == 9 else np.zeros(len(table), bool)
    found = Boxes(
        frames=table[:, 0].astype(np.int64) - 1,
        keys=keys.ravel(),
        boxes=corners(*table[:, 2:6].T),
        occluded=hidden,
        lines=lines,
        ids=[str(i) if times[i] == 1 else f"{i}-{c}" for i, c in zip(ids, label_of, strict=True)],
        labels=[labels[c - 1] for c in label_of],
    )
    return assemble(found, target)


def _unzipped(data: bytes, video: str | None) -> tuple[str, list[str] | None]:
    archive = Archive(data)
    found = archive.find("gt/gt.txt")
    named = [name for name in found if video is not None and name.split("/")[-3:-2] == [video]]
    if len(named or found) != 1:
        raise refuse(f"the zip must hold one gt/gt.txt for the video; it holds {', '.join(found[:10]) or 'none'}")
    path = (named or found)[0]
    labels = path.removesuffix("gt.txt") + "labels.txt"
    names = lines_of(archive.read(labels), labels) if labels in archive.names else None
    return text_of(archive.read(path), path), names
