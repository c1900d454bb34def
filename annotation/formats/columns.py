"""Text rows from columns of numbers, many at a time.

A table of bytes, one row of it for one row of text, is filled column by column; numbers differ in length, so where a
digit is not there the table holds a byte that no text has, and what is left without those, row after row, is the text.
Digits are worked out one place at a time for all rows at once, each place contiguous in memory: every step is one
operation on a whole column, and a row of ten numbers costs a fraction of a microsecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.core.tracks import Floats, Ints

Bytes = NDArray[np.uint8]
ZERO, MINUS, POINT = b"0-."
ABSENT = 0xFF  # occurs in no UTF-8


@dataclass(frozen=True, eq=False, slots=True)
class Whole:
    """Whole numbers, in decimal; with `pad` filled up with zeros to that many digits."""

    values: Ints
    pad: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class Fixed:
    """Decimal fractions rounded to `places`; zeros at the end are left out beyond the `least` ones."""

    values: Floats
    places: int = 6
    least: int = 2


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """One of a few byte strings for each row."""

    table: Sequence[bytes]
    index: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Exact:
    """Floats in the fewest digits that read back as the same float; not NaN."""

    values: Floats


Column = Exact | bytes | Whole | Fixed | Choice


def render(count: int, columns: Sequence[Column]) -> bytes:
    """`count` rows of text, joined.

    >>> render(2, [Whole(np.array([7, 10])), b":", Fixed(np.array([0.5, -2.125])), b"\\n"])
    b'7:0.50\\n10:-2.125\\n'
    """
    cells = _table(count, columns)
    return cells[cells != ABSENT].tobytes()


def render_rows(count: int, columns: Sequence[Column]) -> tuple[bytes, Ints]:
    """`count` rows of text, joined, and the length of each in bytes."""
    cells = _table(count, columns)
    there = cells != ABSENT
    return cells[there].tobytes(), np.count_nonzero(there, axis=1).astype(np.int64)


def split(text: bytes, lengths: Ints, groups: Ints) -> list[bytes]:
    """The text cut into pieces of `groups[i]` consecutive rows."""
    ends = np.concatenate([[0], np.cumsum(lengths)])[np.concatenate([[0], np.cumsum(groups)])].tolist()
    return [text[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]


def _table(count: int, columns: Sequence[Column]) -> Bytes:
    """The bytes of all rows, (count, width), with ABSENT where a row has none."""
    parts = [column if isinstance(column, bytes) else _part(column) for column in columns]
    widths = [len(p) if isinstance(p, bytes) else p.shape[1] for p in parts]
    template = b"".join(p if isinstance(p, bytes) else bytes(w) for p, w in zip(parts, widths, strict=True))
    cells = np.empty((count, len(template)), np.uint8)
    cells[:] = np.frombuffer(template, np.uint8)
    for part, width, end in zip(parts, widths, np.cumsum(widths).tolist(), strict=True):
        if not isinstance(part, bytes):
            cells[:, end - width : end] = part
    return cells


def _part(column: Exact | Whole | Fixed | Choice) -> Bytes:
    """The bytes of one column, (n, width)."""
    if isinstance(column, Choice):
        return _choice(column)
    if isinstance(column, Exact):
        return _exact(column.values)
    if isinstance(column, Whole):
        return _number(column.values.astype(np.int64, copy=False), column.pad, 0, 0)
    units = np.rint(column.values * 10.0**column.places).astype(np.int64)
    places = column.places
    while places > max(column.least, 2) and _all_end_in_zero(units):
        units, places = units // 10, places - 1
    return _number(units, 1, places, column.least)


def _all_end_in_zero(units: Ints) -> bool:
    """Whether the last place says nothing: what people draw has two or three of them. A few tell most of the time."""
    return not (units[:16] % 10).any() and not (units % 10).any()


def _choice(column: Choice) -> Bytes:
    widest = max(map(len, column.table), default=0)
    padded = b"".join(t.ljust(widest, bytes([ABSENT])) for t in column.table)
    return np.frombuffer(padded, np.uint8).reshape(len(column.table), widest)[column.index]


def _exact(values: Floats) -> Bytes:
    # Most coordinates are short decimals, which need no search for the shortest form.
    if np.all(np.abs(values) < 1e9) and np.array_equal(np.rint(values * 1e6) / 1e6, values):
        return _part(Fixed(values, 6, 1))
    texts = np.array(list(map(repr, values.tolist())), "S")
    cells = texts.view(np.uint8).reshape(len(values), -1)
    cells[cells == 0] = ABSENT
    return cells


def _number(units: Ints, pad: int, places: int, least: int) -> Bytes:
    """Whole multiples of 10^-places in decimal: at least `pad` digits before the point and `least` behind it."""
    size: NDArray[Any] = np.abs(units)
    size = size.astype(np.uint32 if size.max(initial=0) < 2**32 else np.uint64)
    scale = size.dtype.type(10**places)
    # Dividing an array by one number is quick, `divmod` is not.
    whole = size // scale
    before = max(pad, len(str(int(whole.max(initial=0)))))
    rows = np.empty((1 + before + bool(places) + places, len(units)), np.uint8)
    rows[0] = np.where(units < 0, np.uint8(MINUS), np.uint8(ABSENT))
    _digits(whole, rows[1 : 1 + before])
    for place in range(before - pad):
        rows[1 + place][whole < 10 ** (before - 1 - place)] = ABSENT
    if places:
        rows[1 + before] = POINT
        _digits(size - whole * scale, rows[2 + before :])
        _drop_zeros(rows[1 + before :], least)
    return rows[0 if (units < 0).any() else 1 :].T


def _digits(values: NDArray[Any], rows: Bytes) -> None:
    """The digits of numbers, the last in the last row."""
    ten = values.dtype.type(10)
    for row in rows[::-1]:
        rest = values // ten
        np.add(values - rest * ten, ZERO, out=row, casting="unsafe")
        values = rest


def _drop_zeros(rows: Bytes, least: int) -> None:
    """Take away zeros that nothing but zeros follows; the first row is the point, which goes if no digit stays."""
    needed = np.zeros(rows.shape[1], bool)
    for place in range(len(rows) - 1, least, -1):
        needed |= rows[place] != ZERO
        rows[place][~needed] = ABSENT
    if not least:
        rows[0][~needed] = ABSENT
