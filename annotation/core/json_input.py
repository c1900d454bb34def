"""JSON from strangers: bounded in bytes, depth and number of containers, strict where Python's reader is not."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.core.problems import Invalid, Problem, shown

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 32
# An empty list costs three bytes to send and sixty to hold.
MAX_CONTAINERS = 1_000_000
MAX_DIGITS = 18

_BLOCK = 1 << 20
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]
_DEPTH = np.zeros(256, np.int8)
_DEPTH[[ord("["), ord("{")]] = 1
_DEPTH[[ord("]"), ord("}")]] = -1


class InvalidJson(Invalid):
    """The body is no JSON that we read."""


def load_json(
    raw: bytes, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, max_containers: int = MAX_CONTAINERS
) -> Any:
    """The value that UTF-8 JSON says. InvalidJson for everything else, and for what is too large or too deep.

    Refuses NaN and Infinity (which are not JSON), numbers of more than 18 digits before the point and objects that name
    a key twice. A number without a fraction is an int, however it is written.
    """
    if len(raw) > max_bytes:
        raise _refuse(f"the JSON has {len(raw)} bytes; at most {max_bytes} are read")
    _check_containers(raw, max_depth, max_containers)
    try:
        return read_json(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise _refuse(f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise _refuse(f"byte {error.start} is no UTF-8") from None
    except RecursionError:
        raise _refuse("the JSON is too deep") from None


def read_json(text: str) -> Any:
    """The value that text from the machine's own user says, of any size, as strictly as `load_json`: InvalidJson, or
    JSONDecodeError or RecursionError where it is no JSON at all."""
    return json.loads(
        text, object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
    )


def _check_containers(raw: bytes, max_depth: int, max_containers: int) -> None:
    """Takes some megabytes, whatever the JSON's size. Only what is no JSON, and so is refused, is miscounted."""
    opened = depth = deepest = odd = inside = 0
    for at in range(0, len(raw), _BLOCK):
        block = np.frombuffer(raw, np.uint8, min(_BLOCK, len(raw) - at), at)
        quotes, odd = _quotes(block, odd)
        within = np.cumsum(quotes, dtype=np.uint8) + np.uint8(inside) & 1
        inside = int(within[-1])
        steps = np.where(within, 0, _DEPTH[block])
        depths = np.cumsum(steps, dtype=np.int32) + depth
        opened, depth = opened + int(np.count_nonzero(steps == 1)), int(depths[-1])
        deepest = max(deepest, int(depths.max()))
    if opened > max_containers:
        raise _refuse(f"the JSON has {opened} lists and objects; at most {max_containers} are read")
    if deepest > max_depth:
        raise _refuse(f"the JSON is nested more than {max_depth} deep")


def _quotes(block: Bytes, odd: int) -> tuple[Bools, int]:
    """Where a block has quotes that begin or end a text. `odd`: whether backslashes before it escape what comes first,
    and in turn those at its end what comes next."""
    quotes, slashes = block == ord('"'), block == ord("\\")
    if not odd and not slashes.any():
        return quotes, 0
    places = np.arange(len(block))
    last = np.maximum.accumulate(np.where(slashes, -1, places))
    runs = places - last + np.where(last < 0, odd, 0)  # of the backslashes that end on each place
    return quotes & (np.append(odd, runs[:-1]) % 2 == 0), int(runs[-1]) % 2


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _refuse(f"the key {shown(twice)} is there twice in one object")
    return out


def _integer(digits: str) -> int:
    count = len(digits.lstrip("-"))
    if count > MAX_DIGITS:
        raise _refuse(f"an integer of {count} digits is too long")
    return int(digits)


def _number(digits: str) -> float | int:
    """JSON Schema knows no difference between 10.0 and 10."""
    value = float(digits)
    if not abs(value) < 10**MAX_DIGITS:
        raise _refuse(f"the number {digits[:40]} is too large")
    return int(value) if value.is_integer() else value


def _constant(word: str) -> float:
    raise _refuse(f"{word} is no JSON")


def _refuse(message: str) -> InvalidJson:
    return InvalidJson([Problem("", message)])
