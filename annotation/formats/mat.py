"""MAT files of version 5, as far as tables of numbers in a struct go (MathWorks, "MAT-File Format", chapter 1).

scipy reads everything that there is in them, in C that wrong bytes crash, and with it whoever else a process serves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from annotation.core.tracks import Floats

HEAD = 128
COMPRESSED, MATRIX = 15, 14
STRUCT, NUMERIC, COMPLEX = 2, range(6, 16), 0x0800
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}

Element = tuple[int, memoryview]


def byte_order(data: bytes) -> str:
    return "<" if data[126:128] == b"IM" else ">"


def tables_in(data: bytes, name: str) -> dict[str, Floats]:
    """The fields of the struct `name` that are real numbers, (rows, columns) each, from a file that is not compressed.

    ValueError, struct.error or LookupError where it is no such file.
    """
    order = byte_order(data)
    for kind, body in _elements(memoryview(data)[HEAD:], order, padded=1):
        parts = list(_elements(body, order)) if kind == MATRIX else []
        if len(parts) > 4 and _class(parts, order) == STRUCT and bytes(parts[2][1]) == name.encode():
            return _fields(parts, order)
    raise LookupError(name)


def _elements(data: memoryview, order: str, padded: int = 8) -> Iterator[Element]:
    """Kind and content of what stands one after the other; up to four bytes stand within their own head."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        begin, following = at + 8, at + 8 + -(-size // padded) * padded
        if kind >> 16:
            kind, size, begin, following = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        if size > len(data) - begin or (begin == at + 4 and size > 4):
            raise ValueError("an element ends beyond what it is in")
        yield kind, data[begin : begin + size]
        at = following


def _class(parts: list[Element], order: str) -> int:
    (flags,) = struct.unpack_from(f"{order}I", parts[0][1])
    return int(flags & (0xFF | COMPLEX))


def _fields(parts: list[Element], order: str) -> dict[str, Floats]:
    (length,) = struct.unpack_from(f"{order}i", parts[3][1])
    text = bytes(parts[4][1])
    if length < 1 or len(parts) - 5 != len(text) // length:
        raise ValueError("the struct is not one of as many fields as it names")
    names = [text[at : at + length].split(b"\0")[0].decode("ascii") for at in range(0, len(text), length)]
    tables = ((name, _table(body, order)) for name, (_, body) in zip(names, parts[5:], strict=True))
    return {name: table for name, table in tables if table is not None}


def _table(body: memoryview, order: str) -> Floats | None:
    """A matrix of real numbers; None for anything else."""
    parts = list(_elements(body, order))
    if len(parts) < 4 or _class(parts, order) not in NUMERIC:
        return None
    size = np.frombuffer(parts[1][1], f"{order}i4").tolist()
    kind, numbers = parts[3]
    if kind not in NUMBERS or len(size) != 2 or min(size) < 0:
        return None
    return np.frombuffer(numbers, f"{order}{NUMBERS[kind]}").astype(np.float64).reshape(size, order="F")
