"""Zip files written as a stream, the same bytes for the same content, and gone on with after a crash.

`zipfile` keeps a Python object for every member until the end; an export may have a file per frame. Here the
directory waits in a file of its own, so that memory stays flat. Layout: PKWARE APPNOTE 6.3, with Zip64.

A file is written in phases (a video's rows, its pictures), each in parts. After a part nothing is pending: the packer
is flushed and a fresh one goes on, so a few numbers say where the file stands. Whoever comes after a crash runs the
same writer again; nothing is written until it comes to the phase that was noted last, which goes on at its next part.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, Self

from annotation.formats.drafts import Draft

LEVEL = 1  # level 6 takes four times as long for a tenth less
BARE = -15  # deflate alone, without zlib's own head and checksum, which a zip has no place for
SMALL = 512  # less is not worth packing
# For a member in memory, most of which are small: setting up the full window and its tables takes longer than packing.
WINDOW, TABLES = -13, 6
UTF8, DESCRIPTOR = 0x0800, 0x0008
STORED, DEFLATED = 0, 8
NEW, ZIP64 = 20, 45
EPOCH = 0x0021  # 1980-01-01, the format's zero: the same content makes the same bytes
FULL32, FULL16 = 0xFFFFFFFF, 0xFFFF
UNIX_FILE = 0o100644 << 16
# Compiled once: an export may have a file per frame.
SIZES, LOCAL, LISTED = (struct.Struct(f"<{fields}") for fields in ("III", "IHHHHH12sHH", "IHHHHHHIIIHHHHHII"))


class OtherContent(Exception):
    """A draft was begun with other content: the phase that it stands at never came."""


def untold(phase: str, share: float) -> None:
    pass


@dataclass(slots=True)
class ZipWriter:
    """Writes members one after the other into a file that need not be seekable; `close` writes the directory.

    `draft` outlives this process; without one what has to wait lies in temporary files. `told` hears of every part
    which phase it was of and which share of that is done. `passed` counts rows, for those who number them.
    """

    out: BinaryIO
    draft: Draft | None = None
    told: Callable[[str, float], None] = untold
    offset: int = 0
    members: int = 0
    passed: int = 0
    directory: IO[bytes] = field(init=False)
    _files: ExitStack = field(init=False, default_factory=ExitStack)
    _behind: dict[str, Any] | None = field(init=False, default=None)
    _member: Member | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._behind = self.draft.state if self.draft else None
        self.directory = self.aside("directory", (self._behind or {}).get("directory", 0))

    def aside(self, name: str, length: int = 0) -> IO[bytes]:
        """A file beside this one, as long as it was when the draft was noted; closed with it at the latest."""
        file = self.draft.file(name, length) if self.draft else tempfile.SpooledTemporaryFile(1 << 20)  # noqa: SIM115
        return self._files.enter_context(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def begin(self, phase: str) -> dict[str, Any] | None:
        """What was noted of a phase last; empty where it begins, None where it was done before a crash."""
        behind = self._behind
        if behind is None:
            return {}
        if behind["phase"] != phase:
            return None
        self._behind = None
        self.offset, self.members, self.passed = behind["offset"], behind["members"], behind["passed"]
        if self._member is not None:
            self._member.start, self._member.crc, self._member.size = behind["member"]
        at: dict[str, Any] = behind["at"]
        return at

    def note(self, phase: str, at: Callable[[], dict[str, Any]], share: float, *files: IO[bytes]) -> None:
        """A part of a phase is written, `files` aside included; `at` says what its next part has to know."""
        member = self._member
        if member is not None:
            member.settle()
        if self.draft and self.draft.due:
            state = {
                "phase": phase,
                "at": at(),
                "offset": self.offset,
                "members": self.members,
                "passed": self.passed,
                "directory": self.directory.tell(),
                "member": member and [member.start, member.crc, member.size],
            }
            self.draft.note(state, (self.out, self.directory, *files))
        self.told(phase, share)

    def add(self, name: str, data: bytes, *, packed: bool = True) -> None:
        """A member that is in memory; pictures and the like are not `packed` a second time."""
        if self._behind is not None:
            return
        crc, body, method = zlib.crc32(data), data, STORED
        if packed and len(data) >= SMALL:
            packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, TABLES)
            body, method = packer.compress(data) + packer.flush(), DEFLATED
        start, encoded = self.offset, name.encode()
        sizes = SIZES.pack(crc, len(body), len(data))
        self._write(_local(NEW, UTF8, method, sizes, encoded, b"") + body)
        self._list(encoded, method, UTF8, (crc, len(body), len(data)), start)

    def copy(self, name: str, file: IO[bytes]) -> None:
        """A member that is in a file, unpacked; at most 4 GiB."""
        if self._behind is not None:
            return
        crc, size = 0, 0
        while block := file.read(1 << 20):
            crc, size = zlib.crc32(block, crc), size + len(block)
        file.seek(0)
        start, encoded = self.offset, name.encode()
        self._write(_local(NEW, UTF8, STORED, SIZES.pack(crc, size, size), encoded, b""))
        shutil.copyfileobj(file, self.out, 1 << 20)
        self.offset += size
        self._list(encoded, STORED, UTF8, (crc, size, size), start)

    @contextmanager
    def open(self, name: str) -> Iterator[Member]:
        """A member that is written bit by bit and may be of any size."""
        start, encoded = self.offset, name.encode()
        extra = struct.pack("<HHQQ", 1, 16, 0, 0)
        sizes = SIZES.pack(0, FULL32, FULL32)
        self._write(_local(ZIP64, UTF8 | DESCRIPTOR, DEFLATED, sizes, encoded, extra))
        self._member = member = Member(self, start)
        yield member
        self._member = None
        if self._behind is not None:
            return
        self._write(member.packer.flush())
        size = self.offset - member.start - 30 - len(encoded) - len(extra)
        self._write(struct.pack("<IIQQ", 0x08074B50, member.crc, size, member.size))
        self._list(encoded, DEFLATED, UTF8 | DESCRIPTOR, (member.crc, size, member.size), member.start)

    def close(self) -> None:
        if self._behind is not None:
            raise OtherContent(self._behind["phase"])
        start = self.offset
        self.directory.seek(0)
        while block := self.directory.read(1 << 16):
            self._write(block)
        self.directory.close()
        size = self.offset - start
        at = self.offset
        self._write(
            struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, ZIP64, ZIP64, 0, 0, self.members, self.members, size, start)
        )
        self._write(struct.pack("<IIQI", 0x07064B50, 0, at, 1))
        count = min(self.members, FULL16)
        ends = (min(size, FULL32), min(start, FULL32))
        self._write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, *ends, 0))

    def _write(self, data: bytes) -> None:
        if self._behind is None:
            self.out.write(data)
            self.offset += len(data)

    def _list(self, name: bytes, method: int, flags: int, sizes: tuple[int, int, int], start: int) -> None:
        crc, packed, size = sizes
        large = [n for n in (size, packed, start) if n >= FULL32]
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        needs = ZIP64 if large or flags & DESCRIPTOR else NEW
        if large:
            packed, size, start = min(packed, FULL32), min(size, FULL32), min(start, FULL32)
        shown = (crc, packed, size, len(name), len(extra), 0, 0, 0, UNIX_FILE, start)
        head = LISTED.pack(0x02014B50, 0x0300 | ZIP64, needs, flags, method, 0, EPOCH, *shown)
        self.directory.write(head + name + extra)
        self.members += 1


class Member:
    """One member while it is being written."""

    def __init__(self, archive: ZipWriter, start: int) -> None:
        self.archive, self.start, self.crc, self.size = archive, start, 0, 0
        self.packer, self.fresh = _packer(), True

    def write(self, data: bytes) -> None:
        if not data or self.archive._behind is not None:
            return
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        self.fresh = False
        self.archive._write(self.packer.compress(data))

    def settle(self) -> None:
        """Nothing that was written stays in the packer, and what comes depends on nothing before."""
        if not self.fresh:
            self.archive._write(self.packer.flush(zlib.Z_FULL_FLUSH))
            self.packer, self.fresh = _packer(), True


def _packer() -> Any:
    return zlib.compressobj(LEVEL, zlib.DEFLATED, BARE)


def _local(needs: int, flags: int, method: int, sizes: bytes, name: bytes, extra: bytes) -> bytes:
    return LOCAL.pack(0x04034B50, needs, flags, method, 0, EPOCH, sizes, len(name), len(extra)) + name + extra
