"""Files with one thing a line, and the place of every mistake in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


class BadLine(ValueError):
    """A line of a file cannot be used: says which file, which line and what of it."""

    def __init__(self, path: Path, line: int, pointer: str, message: str):
        self.path, self.line, self.pointer, self.message = path, line, pointer, message
        super().__init__(f"{path}, line {line}{', at ' + pointer if pointer else ''}: {message}")


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1. BadLine where one is not UTF-8."""
    # Bytes that are no UTF-8 are let through as half surrogate pairs, which UTF-8 itself cannot hold.
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if not _is_whole(line):
                raise BadLine(path, number, "", "is not UTF-8")
            if line.strip():
                yield number, line


def _is_whole(line: str) -> bool:
    try:
        return line.isascii() or bool(line.encode())
    except UnicodeEncodeError:
        return False
