"""All that a worker can observe of a task, as numbers: bodies, headers, ids, media, pages, times, how it is settled."""

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
# How much a worker did before tells nothing by itself: early tasks hold more gold by design.
ASIDE = ("frame", "submitted", "accepted", "earned")
# These name the moment or the length of a body that is looked at itself.
NO_FACTS = ("date", "content-length")


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
class Sight:
    """One claim as its worker saw it."""

    seat: str
    start: int
    seen: dict[str, float]


@dataclass
class Observer:
    """Workers who look at everything. Every `release_each`-th claim is given back rather than submitted.

    With `only_submits`, nothing but claims, submissions and their times.
    """

    send: Send
    only_submits: bool = False
    release_each: int = 8
    claims: int = 0
    met: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def cycle(self, worker: str, project: str) -> Sight | None:
        """One task from the claim to its end; None where there is none to be had."""
        seen: dict[str, float] = {}
        claim = self._look(seen, "claim", worker, "POST", f"{API}/assignments/claim/", {"project": project})
        if claim.status != 201:
            return None
        self.claims += 1
        seat = claim.json()
        start, stop = seat["segment"]["start"], seat["segment"]["stop"]
        path, held = f"{API}/assignments/{seat['id']}/", {"token": seat["token"]}
        body = held | {"tracks": stage.tracks(start, stop)}
        if not self.only_submits:
            self._study(seen, worker, seat, path, body)
        if not self.only_submits and self.claims % self.release_each == 0:
            self._look(seen, "release", worker, "POST", path + "release/", held)
        else:
            answer = self._look(seen, "submit", worker, "POST", path + "submit/", body)
            assert answer.status == 200, answer.content
        if not self.only_submits:
            self._look_back(seen, worker, path, body)
        return Sight(seat["id"], start, seen)

    def _study(self, seen: dict[str, float], worker: str, seat: dict[str, Any], path: str, body: Any) -> None:
        """What can be looked at while a seat is held."""
        start, stop = seat["segment"]["start"], seat["segment"]["stop"]
        _flatten(seen, "seat", seat)
        self._related(seen, worker, start, stop)
        for what in ("clip", "clip again"):
            self._look(seen, what, worker, "GET", seat["clip"]["url"], None)
        self._look(seen, "picture", worker, "GET", f"{path}frames/{start}/", None)
        self._look(seen, "detail", worker, "GET", path, None)
        self._look(seen, "held", worker, "GET", f"{API}/assignments/?status=held", None)
        self._look(seen, "page", worker, "GET", f"/work/{seat['id']}/", None)
        self._look(seen, "draft", worker, "PUT", path + "draft/", body)
        self._look(seen, "renew", worker, "POST", path + "renew/", {"token": seat["token"]})
        self._look(seen, "wrong", worker, "POST", path + "submit/", body | {"token": "0" * 32})

    def _look_back(self, seen: dict[str, float], worker: str, path: str, body: Any) -> None:
        """What can be looked at once the seat is submitted or given back."""
        self._look(seen, "again", worker, "POST", path + "submit/", body)
        _flatten(seen, "me", self._look(seen, "me", worker, "GET", f"{API}/me/", None).json())
        self._look(seen, "projects", worker, "GET", f"{API}/projects/", None)
        self._look(seen, "home", worker, "GET", "/work/", None)

    def _look(self, seen: dict[str, float], what: str, worker: str, method: str, path: str, body: Any) -> Answer:
        answer = self.send(worker, method, path, body)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        seen[f"{what} seconds"] = answer.seconds
        seen[f"{what} status"] = answer.status
        seen[f"{what} bytes"] = len(answer.content)
        seen[f"{what} headers"] = _code(list(answer.headers))
        for name, value in headers.items():
            if name not in NO_FACTS:
                seen[f"{what} header {name}"] = _code(value)
                seen[f"{what} header {name} length"] = len(value)
        if answer.content and "json" in headers.get("content-type", ""):
            seen[f"{what} keys"] = _code(_keys(answer.json()))
        return answer

    def _related(self, seen: dict[str, float], worker: str, start: int, stop: int) -> None:
        """Where a segment lies, and how to those that the worker met before."""
        met = self.met[worker]
        seen["length"] = stop - start
        seen["met before"] = sum(start == earlier for earlier in met)
        seen["neighbours met"] = sum(0 < abs(start - earlier) < stop - start for earlier in met)
        seen["nearest met"] = min((abs(start - earlier) for earlier in met), default=-1)
        seen["further on"] = start - met[-1] if met else 0
        met.append(start)


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
    """Records as rows (n, f); what one of them lacks is −1. With `only`, the columns whose names begin so."""
    names = sorted({name for record in records for name in record if name.startswith(only)})
    x = np.array([[record.get(name, -1.0) for name in names] for record in records], float)
    varies = (x != x[:1]).any(axis=0)
    return x[:, varies], [name for name, v in zip(names, varies, strict=True) if v]


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - began
