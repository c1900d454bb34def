"""Files from strangers, opened without trusting them: a zip may claim anything and unpack to any size."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO

from annotation.core.problems import Invalid, Problem

MAX_BYTES = 1 << 30
MAX_MEMBERS = 1_000_000
BLOCK = 1 << 20
AT = "/file"
# What comes of a zip whose directory, members or packing say nonsense: places before its begin, names in no known
# letters, a dictionary of four gigabytes.
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(RuntimeError, NotImplementedError, ValueError, MemoryError),
)


class InvalidFile(Invalid):
    """An imported file cannot be used; the messages name the file's lines or places."""


def refuse(message: str) -> InvalidFile:
    return InvalidFile([Problem(AT, message)])


class Archive:
    """The members of a zip, read into memory under one common limit. Nothing is ever unpacked to a disk."""

    def __init__(self, data: bytes | IO[bytes], max_bytes: int = MAX_BYTES) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
        except DAMAGED as error:
            raise refuse(f"no zip file: {error}") from None
        self._left = max_bytes
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise refuse(f"the zip has {len(infos)} members; at most {MAX_MEMBERS} are read")
        # Some of Windows' tools have backslashes in names; what macOS puts beside files is none of them.
        named = ((info.filename.replace("\\", "/"), info) for info in infos)
        self._infos = {name: info for name, info in named if name[-1:] not in ("", "/") and not _is_macos(name)}

    @property
    def names(self) -> Sequence[str]:
        return sorted(self._infos)

    @property
    def unpacked_bytes(self) -> int:
        """What the members unpack to, as the directory says; of each no more is read than that."""
        return sum(info.file_size for info in self._infos.values())

    def read(self, name: str) -> bytes:
        """A member's bytes. InvalidFile where it is damaged, encrypted, or more than the limit allows."""
        try:
            with self._zip.open(self._infos[name]) as member:
                return b"".join(self._limited(member))
        except InvalidFile:
            raise
        except DAMAGED as error:
            said = "that takes more memory than there is" if isinstance(error, MemoryError) else error
            raise refuse(f"{name} in the zip cannot be read: {said}") from None

    def _limited(self, member: IO[bytes]) -> Iterator[bytes]:
        # What the directory says of a member's size is the sender's word; what comes out is counted.
        while block := member.read(BLOCK):
            self._left -= len(block)
            if self._left < 0:
                raise refuse("the zip unpacks to more than is read")
            yield block

    def find(self, ending: str) -> list[str]:
        """Members whose path ends in the given one (`gt/gt.txt` finds `a/gt/gt.txt`)."""
        return [name for name in self.names if name == ending or name.endswith("/" + ending)]


def _is_macos(name: str) -> bool:
    *folders, file = name.split("/")
    return "__MACOSX" in folders or file.startswith("._")


def lines_of(data: bytes, what: str) -> list[str]:
    """The lines of a UTF-8 text that are not empty, whatever ends them."""
    return [line for line in text_of(data, what).replace("\r\n", "\n").split("\n") if line]


def the_member(data: bytes, ending: str, video: str | None) -> bytes:
    """The data, or where they are a zip the one member whose path ends so: `video`'s, if there are several.

    A video's member lies in a folder of its name (for an ending such as `tracks.json`) or has its name (for `.csv`).
    """
    if not is_zip(data):
        return data
    archive = Archive(data)
    found = [n for n in archive.names if n.endswith(ending)] if ending[0] == "." else archive.find(ending)
    own = [n for n in found if video is not None and f"/{n}".endswith((f"/{video}/{ending}", f"/{video}{ending}"))]
    if len(own or found) != 1:
        holds = ", ".join(found[:10]) or "none"
        raise refuse(f"the zip must hold one {ending} for the video; it holds {holds}")
    return archive.read((own or found)[0])


def is_zip(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def text_of(data: bytes, what: str) -> str:
    """UTF-8 text, with or without a byte order mark. InvalidFile where it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"{what}: byte {error.start} is no UTF-8 text") from None
