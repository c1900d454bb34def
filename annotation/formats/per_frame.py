"""A file for every frame: the names, and the pieces of text that go into each."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from annotation.core.tracks import Ints
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


def by_frame(rows: Rows, text: bytes, lengths: Ints, video: Video) -> Iterator[tuple[int, bytes]]:
    """Each frame of the rows' range that is in the file, with its own rows' text (empty where it has none)."""
    frames = video.frames(rows.start, rows.stop)
    return zip(frames, split(text, lengths, counts_of(rows, frames)), strict=True)


def counts_of(rows: Rows, frames: range) -> Ints:
    """How many of the rows each of `frames` has."""
    return np.bincount(rows.frames - rows.start, minlength=rows.stop - rows.start)[
        np.array(frames, np.int64) - rows.start
    ]
