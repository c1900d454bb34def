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
    """The lines that are not blank, with their numbers from 1."""
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
