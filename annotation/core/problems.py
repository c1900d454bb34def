"""What is wrong with an input, and where: collected rather than stopping at the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

AT_MOST = 100
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """A JSON pointer into the input (RFC 6901) and a sentence for the person who sent it."""

    pointer: str
    message: str


class Invalid(ValueError):
    """The input cannot be used; `errors` lists why, at most a hundred of them."""

    def __init__(self, errors: list[Problem]):
        self.errors = errors
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{errors[0].pointer or '/'}: {errors[0].message}{more}" if errors else "invalid")


class TooMany(Exception):
    """The list of problems is full: looking further helps nobody."""


@dataclass(slots=True)
class Problems:
    """A list of problems that ends the search, by `TooMany`, once it is full."""

    found: list[Problem] = field(default_factory=list)
    at_most: int = AT_MOST

    def add(self, pointer: str, message: str) -> None:
        if len(self.found) >= self.at_most:
            self.found.append(Problem("", f"there are more problems; only the first {self.at_most} are listed"))
            raise TooMany
        self.found.append(Problem(encodable(pointer), encodable(message)))

    @contextmanager
    def raising(self, error: type[Invalid]) -> Iterator[Problems]:
        """Raise `error` at the end of the block if anything was added."""
        with suppress(TooMany):
            yield self
        if self.found:
            raise error(self.found)


def encodable(text: str) -> str:
    """Text that fits in a UTF-8 answer: JSON may carry half a surrogate pair, which does not."""
    return text.encode("utf-8", "backslashreplace").decode()


def shown(value: object) -> str:
    """A value of the input as it may be shown in a message: quoted, and cut when long.

    >>> shown("a" * 100)[-5:]
    "aaa…'"
    """
    if isinstance(value, str):
        return repr(value if len(value) <= SHOWN else value[:SHOWN] + "…")
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**18:
        return "a huge number"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def step(name: str | int) -> str:
    """One step of a JSON pointer, escaped and cut where somebody sent a novel as a key."""
    return "/" + str(name)[:SHOWN].replace("~", "~0").replace("/", "~1")
