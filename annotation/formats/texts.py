"""JSON text in small pieces, for writers that put rows together from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.core.tracks import Floats
from annotation.formats.columns import Choice

AT_ONCE = 256  # entries of a long list


def json_text(value: Any) -> str:
    """Compact JSON, keys in the order given; ASCII, so that it may stand in any text. ValueError for NaN."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def json_bytes(value: Any) -> bytes:
    """The same as bytes."""
    return json_text(value).encode()


def quoted_text(text: str) -> str:
    """A text in quotes as JSON, YAML and protocol buffers' text format alike read it: of these only JSON knows halves
    of a surrogate pair, so what needs both stands for itself."""
    return '"' + "".join(c if c > "\uffff" else json.dumps(c)[1:-1] for c in text) + '"'


@dataclass(frozen=True, slots=True)
class Many:
    """A list whose entries are made as they are written: `make` of each of `items`."""

    make: Callable[[Any], Any]
    items: Sequence[Any]

    def __iter__(self) -> Iterator[Any]:
        return map(self.make, self.items)


def listed(make: Callable[[Any], Any], items: Sequence[Any]) -> list[Any] | Many:
    """`make` of each item: a list, unless there are so many that they should not lie in memory at once."""
    return Many(make, items) if len(items) > AT_ONCE else list(map(make, items))


def in_pieces(value: Mapping[str, Any], dumps: Callable[[Any], str]) -> Iterator[str]:
    """`dumps(value)`, with `Many` among its values written some entries at a time."""
    if not any(isinstance(its, Many) for its in value.values()):
        yield dumps(value)
        return
    comma, colon = dumps([0, 0])[2:-2], dumps({"": 0})[3:-2]
    for i, (key, its) in enumerate(value.items()):
        yield f"{comma if i else '{'}{dumps(key)}{colon}"
        if isinstance(its, Many):
            for begin in range(0, len(its.items), AT_ONCE):
                some = list(map(its.make, its.items[begin : begin + AT_ONCE]))
                yield (comma if begin else "[") + dumps(some)[1:-1]
            yield "]" if its.items else "[]"
        else:
            yield dumps(its)
    yield "}"


def shares(values: Floats, before: bytes) -> Choice:
    """`before` and the number for each row, nothing where it is NaN; few distinct numbers are expected."""
    distinct, index = np.unique(values, return_inverse=True)
    table = [b"" if np.isnan(v) else before + json_bytes(v) for v in distinct.tolist()]
    return Choice(table or [b""], index.ravel())
