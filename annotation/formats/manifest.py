"""The manifest that every export carries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from annotation.formats.texts import in_pieces


def manifest_text(manifest: Mapping[str, Any]) -> Iterator[bytes]:
    """JSON for people and programs, the same bytes for the same content, bit by bit.

    A list may be any iterable: what it gives is written as it comes, so that a million tracks need no memory.
    """
    yield from (text.encode() for text in _value(manifest, 0))
    yield b"\n"


def _value(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping) and depth < 3:
        yield from _entries(((f"{_plain(str(k))}: ", value[k]) for k in sorted(value)), "{}", depth)
    elif isinstance(value, Mapping):
        yield from in_pieces(dict(sorted(value.items())), _plain)
    elif isinstance(value, str | int | float | None) or (isinstance(value, list) and not _is_deep(value)):
        yield _plain(value)
    else:
        yield from _entries((("", v) for v in value), "[]", depth)


def _is_deep(value: list[Any]) -> bool:
    return any(isinstance(v, Mapping | list) for v in value)


def _entries(entries: Iterator[tuple[str, Any]], ends: str, depth: int) -> Iterator[str]:
    comma = ""
    yield ends[0]
    for before, value in entries:
        yield f"{comma}\n{' ' * (depth + 1)}{before}"
        yield from _value(value, depth + 1)
        comma = ","
    yield f"\n{' ' * depth}{ends[1]}" if comma else ends[1]


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
