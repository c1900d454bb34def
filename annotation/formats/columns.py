"""Text rows from columns of numbers, many at a time.

A table of bytes, one row of it for one row of text, is filled column by column with digits; a mask says which bytes
are there (numbers differ in length), and what it keeps, row after row, is the text. Every step is one operation on
whole columns, so a row of ten numbers costs about a microsecond instead of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.core.tracks import Floats, Ints

Bytes = NDArray[np.uint8]
Keep = NDArray[np.bool_]
DIGIT = ord("0")


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


def render(count: int, columns: Sequence[Column]) -> tuple[bytes, Ints]:
    """`count` rows of text, joined, and the length of each in bytes.

    >>> render(2, [Whole(np.array([7, 10])), b":", Fixed(np.array([0.5, -2.125])), b"\\n"])[0]
    b'7:0.50\\n10:-2.125\\n'
    """
    parts = [_part(count, column) for column in columns]
    cells = np.concatenate([np.broadcast_to(c, (count, c.shape[1])) for c, _ in parts], axis=1)
    keep = np.concatenate([np.broadcast_to(k, (count, k.shape[1])) for _, k in parts], axis=1)
    return cells[keep].tobytes(), np.count_nonzero(keep, axis=1).astype(np.int64)


def split(text: bytes, lengths: Ints, groups: Ints) -> list[bytes]:
    """The text cut into pieces of `groups[i]` consecutive rows."""
    ends = np.concatenate([[0], np.cumsum(lengths)])[np.concatenate([[0], np.cumsum(groups)])].tolist()
    return [text[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]


def _part(count: int, column: Column) -> tuple[Bytes, Keep]:
    if isinstance(column, bytes):
        return np.frombuffer(column, np.uint8)[None, :], np.ones((1, len(column)), bool)
    if isinstance(column, Choice):
        return _choice(column)
    if isinstance(column, Exact):
        return _exact(column.values)
    if isinstance(column, Whole):
        values = column.values.astype(np.int64, copy=False)
        cells, keep = _digits(np.abs(values), column.pad)
        return _signed(values < 0, cells, keep)
    scale = 10**column.places
    units = np.rint(column.values * float(scale)).astype(np.int64)
    whole, rest = np.divmod(np.abs(units), scale)
    cells, keep = _digits(whole, 1)
    fraction, shown = _fraction(rest, column.places, column.least)
    return _signed(units < 0, np.concatenate([cells, fraction], axis=1), np.concatenate([keep, shown], axis=1))


def _choice(column: Choice) -> tuple[Bytes, Keep]:
    widest = max(map(len, column.table), default=0)
    lengths = np.array([len(t) for t in column.table], np.int64)
    table = np.frombuffer(b"".join(t.ljust(widest) for t in column.table), np.uint8).reshape(len(column.table), widest)
    return table[column.index], (np.arange(widest) < lengths[:, None])[column.index]


def _exact(values: Floats) -> tuple[Bytes, Keep]:
    units = np.rint(values * 1e6)
    # Most coordinates are short decimals, which need no search for the shortest form.
    if np.all(np.abs(units) < 2.0**53) and np.array_equal(units / 1e6, values):
        return _part(len(values), Fixed(values, 6, 1))
    texts = np.array(list(map(repr, values.tolist())), "S")
    cells = texts.view(np.uint8).reshape(len(values), -1)
    return cells, cells != 0


def _digits(values: Ints, pad: int) -> tuple[Bytes, Keep]:
    """Digits right-aligned, (n, d), with zeros in front masked out."""
    width = max(pad, len(str(int(values.max()))) if len(values) else 1)
    cells = np.empty((len(values), width), np.uint8)
    keep = np.ones((len(values), width), bool)
    rest = values
    for place in range(width - 1, -1, -1):
        if place < width - pad:
            keep[:, place] = rest > 0
        rest, digit = np.divmod(rest, 10)
        cells[:, place] = digit + DIGIT
    return cells, keep


def _fraction(rest: Ints, places: int, least: int) -> tuple[Bytes, Keep]:
    """A point and `places` digits, (n, 1 + places), masked from where only zeros follow."""
    cells = np.empty((len(rest), 1 + places), np.uint8)
    keep = np.ones((len(rest), 1 + places), bool)
    cells[:, 0] = ord(".")
    keep[:, 0] = (least > 0) | (rest > 0)
    follows = np.zeros(len(rest), bool)
    for place in range(places, 0, -1):
        rest, digit = np.divmod(rest, 10)
        cells[:, place] = digit + DIGIT
        follows |= digit > 0
        keep[:, place] = follows | (place <= least)
    return cells, keep


def _signed(negative: Keep, cells: Bytes, keep: Keep) -> tuple[Bytes, Keep]:
    if not negative.any():
        return cells, keep
    sign = np.full((len(cells), 1), ord("-"), np.uint8)
    return np.concatenate([sign, cells], axis=1), np.concatenate([negative[:, None], keep], axis=1)
