"""All that a worker can observe of a task, as numbers: bodies, headers, ids, timing, figures of their own."""

from __future__ import annotations

import json
import time
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.crowd import stage

API = stage.API
# How many claims lie behind a worker, and which segment it is, tell nothing by themselves: that gold comes early is
# known, and where it lies is the client's choice.
ASIDE = ("start", "stop", "frame", "submitted", "accepted", "earned")


@dataclass
class Answer:
    """What came back, whatever carried it."""

    status: int
    headers: dict[str, str]
    content: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.content)


Send = Callable[[str, str, str, Any], Answer]  # worker, method, path, body


@dataclass
class Career:
    """What one worker saw so far."""

    starts: list[int] = field(default_factory=list)


@dataclass
class Observer:
    """Workers who look at everything."""

    send: Send
    only_submits: bool = False
    careers: dict[str, Career] = field(default_factory=lambda: defaultdict(Career))

    def cycle(self, worker: str, project: str) -> tuple[str, int, dict[str, float]] | None:
        """One task from the claim to the submission: its id, where it starts, and what was to be seen."""
        seen: dict[str, float] = {}
        claim = self._look(seen, "claim", worker, "POST", "/assignments/claim/", {"project": project})
        if claim.status != 201:
            return None
        seat = claim.json()
        start, stop = seat["segment"]["start"], seat["segment"]["stop"]
        drawn = stage.tracks(start, stop)
        path, body = f"/assignments/{seat['id']}/", {"token": seat["token"], "tracks": drawn}
        if not self.only_submits:
            _flatten(seen, "seat", seat)
            self._related(seen, worker, start, stop)
            self._look(seen, "detail", worker, "GET", path, None)
            self._look(seen, "held", worker, "GET", "/assignments/?status=held", None)
            self._look(seen, "draft", worker, "PUT", path + "draft/", body)
            self._look(seen, "renew", worker, "POST", path + "renew/", {"token": seat["token"]})
            self._look(seen, "wrong", worker, "POST", path + "submit/", body | {"token": "0" * 32})
        answer = self._look(seen, "submit", worker, "POST", path + "submit/", body)
        assert answer.status == 200, answer.content
        if not self.only_submits:
            self._look(seen, "again", worker, "POST", path + "submit/", body)
            _flatten(seen, "me", self._look(seen, "me", worker, "GET", "/me/", None).json())
            self._look(seen, "projects", worker, "GET", "/projects/", None)
        return seat["id"], start, seen

    def _look(self, seen: dict[str, float], what: str, worker: str, method: str, path: str, body: Any) -> Answer:
        answer = self.send(worker, method, API + path, body)
        seen[f"{what} seconds"] = answer.seconds
        seen[f"{what} status"] = answer.status
        seen[f"{what} bytes"] = len(answer.content)
        seen[f"{what} headers"] = _code(sorted(answer.headers))
        for name, value in answer.headers.items():
            if name.lower() not in ("date", "content-length"):
                seen[f"{what} header {name}"] = _code(value)
        if answer.content and "json" in answer.headers.get("Content-Type", answer.headers.get("content-type", "")):
            seen[f"{what} keys"] = _code(_keys(answer.json()))
        return answer

    def _related(self, seen: dict[str, float], worker: str, start: int, stop: int) -> None:
        """How a segment lies to those that the worker met before."""
        career = self.careers[worker]
        seen["length"] = stop - start
        seen["met before"] = sum(start == earlier for earlier in career.starts)
        seen["neighbours met"] = sum(0 < abs(start - earlier) < stop - start for earlier in career.starts)
        career.starts.append(start)


def _flatten(seen: dict[str, float], path: str, value: Any) -> None:
    """Every leaf of a JSON body: numbers as they are, texts by length, first and last characters."""
    if isinstance(value, dict | list):
        named = value.items() if isinstance(value, dict) else enumerate(value[:2])
        seen[f"{path} items"] = len(value)
        for key, inner in named:
            if key not in ASIDE:
                _flatten(seen, f"{path}.{key}", inner)
    elif isinstance(value, bool | int | float):
        seen[path] = float(value)
    elif isinstance(value, str):
        _spell(seen, path, value)


def _spell(seen: dict[str, float], path: str, value: str) -> None:
    seen[f"{path} length"] = len(value)
    seen[f"{path} digits"] = sum(c.isdigit() for c in value)
    for place in (0, 1, 2, -2, -1):
        seen[f"{path}[{place}]"] = ord(value[place]) if len(value) > abs(place) else -1


def _keys(value: Any) -> Any:
    """The keys of a body in their order."""
    if isinstance(value, dict):
        return [[key, _keys(inner)] for key, inner in value.items()]
    return [_keys(value[0])] if isinstance(value, list) and value else type(value).__name__


def _code(value: Any) -> float:
    return float(zlib.crc32(repr(value).encode()) % 997)


def table(records: list[dict[str, float]], only: str = "") -> tuple[np.ndarray, list[str]]:
    """Records as rows (n, f); what one of them lacks is −1. With `only`, the columns of that name."""
    names = sorted({name for record in records for name in record if name.startswith(only)})
    x = np.array([[record.get(name, -1.0) for name in names] for record in records], float)
    varies = (x != x[:1]).any(axis=0)
    return x[:, varies], [name for name, v in zip(names, varies, strict=True) if v]


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - began
