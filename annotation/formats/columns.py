"""Text rows from columns of numbers, many at a time.

A table of bytes, one row of it for one row of text, is filled column by column; numbers differ in length, so where a
digit is not there the table holds a byte that no text has, and what is left without those, row after row, is the text.
Numbers are written four digits at a time: the text of every number below 10,000 stands in a small table, so that a
column is looked up and laid down in a few operations, whatever its digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.core.tracks import Floats, Ints

Bytes = NDArray[np.uint8]
# One value for each row, of as many bytes as it takes in the table; or the same bytes for all.
Cells = NDArray[Any] | bytes
ZERO, MINUS, POINT = b"0-."
ABSENT = 0xFF  # occurs in no UTF-8
GROUP = 4
TEN_K = 10**GROUP


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
    return _table(count, columns).tobytes().translate(None, bytes([ABSENT]))


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
    parts = [cells for column in columns for cells in _cells(column)]
    widths = [len(p) if isinstance(p, bytes) else p.itemsize for p in parts]
    template = b"".join(p if isinstance(p, bytes) else bytes(w) for p, w in zip(parts, widths, strict=True))
    table = np.empty((count, len(template)), np.uint8)
    table[:] = np.frombuffer(template, np.uint8)
    starts = (np.cumsum(widths) - widths).tolist()
    fields = {f"{i}": (p, at) for i, (p, at) in enumerate(zip(parts, starts, strict=True)) if not isinstance(p, bytes)}
    # As records, so that a cell of several bytes is laid down as one.
    kinds = [cells.dtype for cells, _ in fields.values()]
    places = [at for _, at in fields.values()]
    kind = np.dtype({"names": list(fields), "formats": kinds, "offsets": places, "itemsize": len(template)})
    records: Any = table.reshape(-1).view(kind) if count and fields else {}
    for name in fields if count else ():
        records[name] = fields[name][0]
    return table


def _cells(column: Column) -> Iterator[Cells]:
    """What a column puts side by side into each row."""
    if isinstance(column, bytes):
        yield column
    elif isinstance(column, Choice):
        yield _choice(column)
    elif isinstance(column, Exact):
        yield from _exact(column.values)
    elif isinstance(column, Whole):
        yield from _signed(column.values.astype(np.int64, copy=False), column.pad)
    else:
        yield from _fixed(column)


def _choice(column: Choice) -> Cells:
    if len(column.table) == 1:
        return column.table[0]
    widest = max(map(len, column.table), default=0)
    if not widest:
        return b""
    padded = b"".join(t.ljust(widest, bytes([ABSENT])) for t in column.table)
    return np.frombuffer(padded, f"u{widest}" if widest in (1, 2, 4, 8) else f"V{widest}")[column.index]


def _exact(values: Floats) -> Iterator[Cells]:
    # Most coordinates are short decimals, which need no search for the shortest form.
    if np.all(np.abs(values) < 1e9) and np.array_equal(np.rint(values * 1e6) / 1e6, values):
        yield from _fixed(Fixed(values, 6, 1))
        return
    texts = np.array(list(map(repr, values.tolist())), "S")
    cells = texts.view(np.uint8)
    cells[cells == 0] = ABSENT
    yield texts.view(f"V{texts.itemsize}")


def _fixed(column: Fixed) -> Iterator[Cells]:
    units = np.rint(column.values * 10.0**column.places).astype(np.int64)
    units, places = _shortened(units, column.places, column.least)
    scale = 10**places
    minus, size = _sized(units)
    # Dividing an array by one number is quick, `divmod` is not.
    whole = size // size.dtype.type(scale)
    yield minus
    yield from _digits(whole, 1)
    if places:
        rest = size - whole * size.dtype.type(scale)
        yield b"." if column.least else _choice(Choice((bytes([ABSENT]), b"."), (rest > 0).astype(np.int64)))
        yield from _decimals(rest, places, column.least)


def _shortened(units: Ints, places: int, least: int) -> tuple[Ints, int]:
    """Without the last places where they say nothing: what people draw has two or three. A few mostly tell."""
    spare = places - least
    few = units[:16]
    while spare and ((few % 10**spare).any() or (units % 10**spare).any()):
        spare -= 1
    return (units // 10**spare, places - spare) if spare else (units, places)


def _signed(units: Ints, pad: int) -> Iterator[Cells]:
    minus, size = _sized(units)
    yield minus
    yield from _digits(size, pad)


def _sized(units: Ints) -> tuple[Cells, NDArray[Any]]:
    """The signs, and the numbers without them in as few bits as hold them."""
    negative = units < 0
    minus: Cells = b""
    if negative.any():
        minus, units = np.where(negative, np.uint8(MINUS), np.uint8(ABSENT)), np.abs(units)
    return minus, units.astype(np.uint32 if units.max(initial=0) < 2**32 else np.uint64)


def _digits(size: NDArray[Any], pad: int) -> Iterator[Cells]:
    """Whole numbers from 0 in decimal, with at least `pad` digits."""
    count = max(pad, len(str(int(size.max(initial=0)))))
    groups = []
    ten_k = size.dtype.type(TEN_K)
    for low in range(0, count, GROUP):
        least = min(max(pad - low, not low), GROUP)
        above = size // ten_k if count > low + GROUP else None
        index = size if above is None else size - above * ten_k
        if above is not None:
            index = index + (above > 0) * size.dtype.type(TEN_K)
            size = above
        groups.append(_heads(least, min(count - low, GROUP))[index])
    yield from groups[::-1]


def _decimals(rest: NDArray[Any], places: int, least: int) -> Iterator[Cells]:
    """Digits behind the point, four at a time, without the zeros at the end beyond the `least`."""
    for high in range(0, places, GROUP):
        wide = min(GROUP, places - high)
        below = rest.dtype.type(10 ** (places - high - wide))
        index = rest // below if below > 1 else rest
        table = _tails(min(max(least - high, 0), wide), wide)
        if below > 1:
            rest = rest - index * below
            index = index + (rest > 0) * rest.dtype.type(10**wide)
        yield table[index]


@cache
def _heads(least: int, wide: int) -> NDArray[Any]:
    """The numbers below 10^wide with at least `least` digits, after them the same with all."""
    numbers = np.arange(10**wide)
    return _texts(numbers, wide, [(numbers < 10**p) & (p >= least) for p in range(wide)])


@cache
def _tails(least: int, wide: int) -> NDArray[Any]:
    """The numbers below 10^wide without the zeros at their ends beyond the first `least` digits, then with all."""
    numbers = np.arange(10**wide)
    return _texts(numbers, wide, [(numbers % 10 ** (p + 1) == 0) & (wide - 1 - p >= least) for p in range(wide)])


def _texts(numbers: Ints, wide: int, absent: Sequence[NDArray[np.bool_]]) -> NDArray[Any]:
    """Texts of `wide` digits without those `absent` at each power of ten, then with all, as numbers of as many bytes;
    three take four, one of them ABSENT."""
    size = {1: 1, 2: 2}.get(wide, 4)
    texts = np.full((2, len(numbers), size), ABSENT, np.uint8)
    for power, without in enumerate(absent):
        digits = numbers // 10**power % 10 + ZERO
        texts[0, :, wide - 1 - power] = np.where(without, ABSENT, digits)
        texts[1, :, wide - 1 - power] = digits
    return texts.view(f"u{size}").ravel()
