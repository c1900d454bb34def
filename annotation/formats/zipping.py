"""Zip files written as a stream, the same bytes for the same content, and read without trusting them.

`zipfile` keeps a Python object for every member until the end; an export may have a file per frame. Here the
directory waits in a temporary file, so that memory stays flat. Layout: PKWARE APPNOTE 6.3, with Zip64.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, BinaryIO

LEVEL = 1  # level 6 takes four times as long for a tenth less
SMALL = 512  # setting up a compressor costs more than it saves below this
UTF8, DESCRIPTOR = 0x0800, 0x0008
STORED, DEFLATED = 0, 8
NEW, ZIP64 = 20, 45
EPOCH = 0x0021  # 1980-01-01, the format's zero: the same content makes the same bytes
FULL32, FULL16 = 0xFFFFFFFF, 0xFFFF
UNIX_FILE = 0o100644 << 16


@dataclass(slots=True)
class ZipWriter:
    """Writes members one after the other into a file that need not be seekable; `close` writes the directory."""

    out: BinaryIO
    offset: int = 0
    members: int = 0
    directory: IO[bytes] = field(default_factory=lambda: tempfile.SpooledTemporaryFile(1 << 20))  # noqa: SIM115

    def add(self, name: str, data: bytes) -> None:
        """A member that is in memory."""
        crc, body, method = zlib.crc32(data), data, STORED
        if len(data) >= SMALL:
            body, method = _deflated(data), DEFLATED
        start, encoded = self.offset, name.encode()
        sizes = struct.pack("<III", crc, len(body), len(data))
        self._write(_local(NEW, UTF8, method, sizes, encoded, b"") + body)
        self._list(encoded, method, UTF8, (crc, len(body), len(data)), start)

    @contextmanager
    def open(self, name: str) -> Iterator[Member]:
        """A member that is written bit by bit and may be of any size."""
        start, encoded = self.offset, name.encode()
        extra = struct.pack("<HHQQ", 1, 16, 0, 0)
        sizes = struct.pack("<III", 0, FULL32, FULL32)
        self._write(_local(ZIP64, UTF8 | DESCRIPTOR, DEFLATED, sizes, encoded, extra))
        member = Member(self)
        yield member
        self._write(member.packer.flush())
        size = self.offset - start - 30 - len(encoded) - len(extra)
        self._write(struct.pack("<IIQQ", 0x08074B50, member.crc, size, member.size))
        self._list(encoded, DEFLATED, UTF8 | DESCRIPTOR, (member.crc, size, member.size), start)

    def close(self) -> None:
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
        self.out.write(data)
        self.offset += len(data)

    def _list(self, name: bytes, method: int, flags: int, sizes: tuple[int, int, int], start: int) -> None:
        crc, packed, size = sizes
        large = [n for n in (size, packed, start) if n >= FULL32]
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        needs = ZIP64 if large or flags & DESCRIPTOR else NEW
        shown = (crc, min(packed, FULL32), min(size, FULL32), len(name), len(extra), 0, 0, 0)
        head = struct.pack("<IHHHHHHIIIHHHHH", 0x02014B50, 0x0300 | ZIP64, needs, flags, method, 0, EPOCH, *shown)
        self.directory.write(head + struct.pack("<II", UNIX_FILE, min(start, FULL32)) + name + extra)
        self.members += 1


class Member:
    """One member while it is being written."""

    def __init__(self, archive: ZipWriter) -> None:
        self.archive, self.crc, self.size = archive, 0, 0
        self.packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)

    def write(self, data: bytes) -> None:
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        self.archive._write(self.packer.compress(data))


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _local(needs: int, flags: int, method: int, sizes: bytes, name: bytes, extra: bytes) -> bytes:
    head = struct.pack("<IHHHHH", 0x04034B50, needs, flags, method, 0, EPOCH)
    return head + sizes + struct.pack("<HH", len(name), len(extra)) + name + extra
