"""CRC-32C (Castagnoli, RFC 3720 appendix B.4) of many messages at once: one byte of each at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78
MASK = 0xA282EAD8  # TFRecord's: a checksum of data that holds checksums is a poor one


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(POLYNOMIAL), table >> 1)
    return table


TABLE = _table()


def crcs(messages: Sequence[bytes]) -> NDArray[np.uint32]:
    """The checksum of each message.

    >>> hex(crcs([b"123456789"])[0])
    '0xe3069283'
    """
    lengths = np.array([len(m) for m in messages], np.int64)
    order = np.argsort(-lengths, kind="stable")
    starts = (np.cumsum(lengths) - lengths)[order]
    data = np.frombuffer(b"".join(messages), np.uint8)
    state = np.full(len(messages), 0xFFFFFFFF, np.uint32)
    longer = np.searchsorted(-lengths[order], -np.arange(lengths.max(initial=0)), side="left")
    for place, count in enumerate(longer.tolist()):
        current = state[:count]
        state[:count] = TABLE[(current ^ data[starts[:count] + place]) & 0xFF] ^ (current >> 8)
    out = np.empty_like(state)
    out[order] = ~state
    return out


def masked_crcs(messages: Sequence[bytes]) -> NDArray[np.uint32]:
    """The checksums as TFRecord stores them: turned by 15 bits and shifted by a constant."""
    plain = crcs(messages)
    return (((plain >> 15) | (plain << 17)) + np.uint32(MASK)).astype(np.uint32)
