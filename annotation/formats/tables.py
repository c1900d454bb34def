"""Numbers in rows of text, read at once, or line by line to say which line is wrong."""

from __future__ import annotations

import io

import numpy as np

from annotation.core.problems import Problems, shown
from annotation.core.tracks import Floats, Ints
from annotation.formats.archives import AT, InvalidFile


def read_table(text: str, columns: range, delimiter: str | None = ",") -> tuple[Floats, Ints]:
    """The finite numbers (n, c) of the lines that are not empty, and the lines' numbers from 1.

    All lines have the same count of columns, one of `columns`. InvalidFile names the lines where that is not so.
    """
    lines = text.splitlines()
    filled = np.array([i for i, line in enumerate(lines, 1) if line.strip()], np.int64)
    if not len(filled):
        return np.zeros((0, columns[0])), filled
    try:
        rows = "\n".join(line for line in lines if line.strip())
        table = np.loadtxt(io.StringIO(rows), delimiter=delimiter, ndmin=2, comments=None)
    except ValueError:
        table = None
    if table is None or len(table) != len(filled) or table.shape[1] not in columns or not np.isfinite(table).all():
        problems = Problems()
        with problems.raising(InvalidFile):
            _explain(lines, columns, delimiter, problems)
    assert table is not None
    return table, filled


def _explain(lines: list[str], columns: range, delimiter: str | None, problems: Problems) -> None:
    rows = [(i, line.split(delimiter)) for i, line in enumerate(lines, 1) if line.strip()]
    for i, cells in rows:
        if problem := _line_problem(cells, len(rows[0][1]), columns):
            problems.add(AT, f"line {i}: {problem}")
    if not problems.found:
        problems.add(AT, "the lines make no table of numbers")


def _line_problem(cells: list[str], width: int, columns: range) -> str | None:
    if len(cells) not in columns:
        return f"has {len(cells)} columns; there must be {columns[0]} to {columns[-1]}"
    if len(cells) != width:
        return f"has {len(cells)} columns, the first line {width}"
    for cell in cells:
        try:
            number = float(cell)
        except ValueError:
            return f"{shown(cell.strip())} is no number"
        if not np.isfinite(number):
            return f"{shown(cell.strip())} is no finite number"
    return None
