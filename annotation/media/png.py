"""PNG in a hurry: each row as its difference from the row above, runs and Huffman codes only.

More than twice as quick as libpng's fastest level, which weighs five filters per row, at the same size
(benchmarks/media.py).
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP, _RGB = 2, 2


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """RGB pixels (height, width, 3) as a PNG file (ISO/IEC 15948)."""
    height, width, _ = picture.shape
    rows = picture.reshape(height, width * 3)
    lines = np.empty((height, width * 3 + 1), np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    data = packer.compress(lines.tobytes()) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, _RGB, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
