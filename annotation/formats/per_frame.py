"""A file for every frame: the names, and the pieces of text that go into each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from annotation.core.problems import shown
from annotation.core.tracks import Ints
from annotation.formats.archives import refuse
from annotation.formats.columns import split
from annotation.formats.content import Rows, Video


def frame_stem(folder: str, frame: int) -> str:
    """The name of a frame's file without its ending; unique over an export's videos."""
    return f"{folder}_{frame:06d}"


def frame_of(stem: str) -> int | None:
    """The frame in a file's name: the last number in it, from 0. None where there is none, or one of no frame."""
    digits = re.findall(r"[0-9]+", stem)
    number = digits[-1].lstrip("0") if digits else None
    return None if number is None or len(number) >= 10 else int(number or 0)


def stem_of(path: str) -> str:
    """A path's last name without its ending."""
    return path.rsplit("/", 1)[-1].rpartition(".")[0]


def own_paths(paths: Iterable[str], video: str | None, what: str) -> list[str]:
    """The frames' files that are the video's, in order: all there are, unless they are of several, which differ in what
    stands beside the frame's number. InvalidFile where none of those is the video's; `what` the paths are."""
    found: dict[str, list[str]] = {}
    for path in sorted(paths):
        found.setdefault(re.sub(r"[0-9]++(?=[^0-9]*+$)", "", stem_of(path)), []).append(path)
    if video is None or len(found) < 2:
        return sorted(path for own in found.values() for path in own)
    if f"{video}_" not in found:
        few = ", ".join(shown(name) for name in sorted(found)[:10])
        raise refuse(f"{what} are of several videos, none of which is {shown(video)}: {few}")
    return found[f"{video}_"]


def by_frame(rows: Rows, text: bytes, lengths: Ints, video: Video) -> Iterator[tuple[int, bytes]]:
    """Each frame of the rows' range that is in the file, with its own rows' text (empty where it has none)."""
    frames = video.frames(rows.start, rows.stop)
    return zip(frames, split(text, lengths, counts_of(rows, frames)), strict=True)


def counts_of(rows: Rows, frames: range) -> Ints:
    """How many of the rows each of `frames` has."""
    return np.bincount(rows.frames - rows.start, minlength=rows.stop - rows.start)[
        np.array(frames, np.int64) - rows.start
    ]
