"""What of a release is written to a file, and which media lie beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from annotation.core.problems import Invalid, Problems, shown
from annotation.core.values import number_problem

MEDIA = ("none", "frames", "clips")
PICTURES = {"jpeg": "jpg", "png": "png"}  # and the ending of their names
MOST = 10**6


@dataclass(frozen=True, slots=True)
class Selection:
    """Boxes of tracks with one of `labels` (None: any) that are `min_confidence` sure, on frames that are multiples of
    `frame_step` and on which at least `min_support` submissions agree with the box.

    Tracks that nobody voted on (imported, or drawn by a reviewer) have no confidence and no support: they stay.
    `pictures` is the kind of the frames' pictures (None: the format's own).
    """

    labels: tuple[str, ...] | None = None
    min_confidence: float = 0.0
    min_support: int = 0
    frame_step: int = 1
    media: str = "none"
    pictures: str | None = None

    def to_json(self) -> dict[str, Any]:
        """What differs from everything, in a fixed form."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return said | ({"labels": list(self.labels)} if self.labels is not None else {})

    def digest(self) -> str:
        """A name for it; empty for everything."""
        said = self.to_json()
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest() if said else ""

    def body(self) -> dict[str, Any]:
        """All of it, as the public contract has it."""
        return asdict(self) | {"labels": None if self.labels is None else list(self.labels)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Selection:
        """What `to_json` gave."""
        labels = said.get("labels")
        return cls(**{**said, "labels": None if labels is None else tuple(labels)})


def parse_selection(data: Mapping[str, Any], names: Collection[str]) -> Selection:
    """The selection in a body of the contract, where `names` are the project's labels. Invalid, with pointers."""
    problems = Problems()
    found: dict[str, Any] = {}
    with problems.raising(Invalid):
        for name, parse in PARSERS.items():
            if data.get(name) is not None:
                found[name] = parse(data[name], f"/{name}", problems)
        if data.get("labels") is not None:
            found["labels"] = _labels(data["labels"], names, problems)
        if found.get("pictures") and found.get("media") != "frames":
            problems.add("/pictures", "is for media: frames")
    return Selection(**found)


def _labels(value: Any, names: Collection[str], problems: Problems) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        problems.add("/labels", f"must be a list of at least one label, not {shown(value)}")
        return ()
    for i, name in enumerate(value):
        if not isinstance(name, str) or name not in names:
            problems.add(f"/labels/{i}", f"{shown(name)} is no label of the project")
    return tuple(sorted({n for n in value if isinstance(n, str)}))


def _share(value: Any, pointer: str, problems: Problems) -> float:
    if number_problem(value) or not 0 <= value <= 1:
        problems.add(pointer, f"must be a number from 0 to 1, not {shown(value)}")
        return 0.0
    return float(value)


def _whole(least: int) -> Callable[[Any, str, Problems], int]:
    def parse(value: Any, pointer: str, problems: Problems) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST:
            problems.add(pointer, f"must be a whole number from {least} to {MOST}, not {shown(value)}")
            return least
        return value

    return parse


def _one_of(words: Collection[str]) -> Callable[[Any, str, Problems], str]:
    def parse(value: Any, pointer: str, problems: Problems) -> str:
        if not isinstance(value, str) or value not in words:
            problems.add(pointer, f"must be one of {', '.join(words)}, not {shown(value)}")
        return str(value)

    return parse


PARSERS: dict[str, Callable[[Any, str, Problems], Any]] = {
    "min_confidence": _share,
    "min_support": _whole(0),
    "frame_step": _whole(1),
    "media": _one_of(MEDIA),
    "pictures": _one_of(tuple(PICTURES)),
}
