"""All formats by name: how each is written and read, and what it cannot carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from annotation.formats.content import Content
from annotation.formats.mot import LOSES, read_mot, write_mot


@dataclass(frozen=True, slots=True)
class Format:
    """`write(out, content)` streams; `read` takes the bytes of a file, or is None; `loses` names what is left behind."""

    name: str
    extension: str
    media_type: str
    write: Callable[[BinaryIO, Content], None]
    read: Callable | None
    loses: tuple[str, ...]


FORMATS: dict[str, Format] = {
    "mot": Format("mot", "zip", "application/zip", write_mot, read_mot, LOSES),
}
