"""A crowd of simulated workers over HTTP: each claims, draws from the truth as a person would err, and submits."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from annotation.core.tracks import Track, Tracks, to_json
from crowd.core.simulation import Worker, draw, perfect

TIMEOUT_S = 60.0
RETRIES = 8
PAUSE_S = 0.5
# Lost connections, and servers that restart, are normal life; what they answer to a bad request is not.
PASSING = frozenset({502, 503, 504})


class SimulationFailed(Exception):
    """The server answered something that no worker can go on with."""


@dataclass
class Person:
    """One simulated worker's session. Every POST has a key of its own, so a repeated one has one effect."""

    name: str
    http: httpx.Client
    brain: Worker | None
    rng: np.random.Generator
    submitted: int = 0

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._send("POST", path, body, {"Idempotency-Key": uuid.uuid4().hex})

    def put(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._send("PUT", path, body, {})

    def _send(self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        for attempt in range(RETRIES):
            try:
                answer = self.http.request(method, path, json=body, headers=headers)
                if answer.status_code not in PASSING:
                    return answer
            except httpx.TransportError:
                if attempt == RETRIES - 1:
                    raise
            time.sleep(PAUSE_S * 2**attempt / 4)
        raise SimulationFailed(f"{method} {path}: the server stayed away")

    def draw(self, truth: Tracks, assignment: dict[str, Any]) -> dict[str, Any]:
        """What this person sends for an assignment."""
        segment, labels = assignment["segment"], [label["name"] for label in assignment["project"]["labels"]]
        start, stop = segment["start"], segment["stop"]
        size = (float(segment["width"]), float(segment["height"]))
        if self.brain is None:
            drawn = perfect(truth, start, stop)
        else:
            drawn = draw(truth, start, stop, self.brain, self.rng, *size)
        return to_json(within(drawn, *size, labels))


def within(tracks: Tracks, width: float, height: float, labels: list[str]) -> Tracks:
    """Tracks as an annotator's canvas lets one draw them: no box wholly outside the picture, only known labels."""
    kept = tuple(t for t in tracks.tracks if _visible(t, width, height))
    renamed = (t if t.label in labels else _relabelled(t, labels[0]) for t in kept)
    return Tracks(tracks.start, tracks.stop, tuple(renamed))


def _relabelled(track: Track, label: str) -> Track:
    return Track(track.id, label, track.frames, track.points, track.outside, track.occluded)


def _visible(track: Track, width: float, height: float) -> bool:
    x1, y1, x2, y2 = track.points[~track.outside].T
    inside = (x1 < width) & (y1 < height) & (x2 > 0) & (y2 > 0) & (x2 > x1) & (y2 > y1)
    return bool(len(x1)) and bool(np.all(inside))


@dataclass
class Simulation:
    """Everybody works until nobody gets a task for `patience_s`, or `stop` is set.

    Who gets none asks again after `pause_s`.
    """

    truth: Tracks
    project: str
    patience_s: float = 10.0
    pause_s: float = PAUSE_S
    think_s: float = 0.0
    on_submitted: Callable[[str], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    errors: list[Exception] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)

    def run(self, people: list[Person]) -> int:
        """Returns how many submissions were stored; raises the first thing that went wrong."""
        self._last = time.monotonic()
        threads = [threading.Thread(target=self._career, args=(p,), name=p.name, daemon=True) for p in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]
        return sum(p.submitted for p in people)

    def _career(self, person: Person) -> None:
        try:
            while not self.stop.is_set() and time.monotonic() - self._last < self.patience_s:
                if self._one(person):
                    self._last = time.monotonic()
                else:
                    time.sleep(self.pause_s)
        except Exception as error:  # noqa: BLE001  whoever runs the simulation raises it
            self.errors.append(error)
            self.stop.set()
        finally:
            person.http.close()

    def _one(self, person: Person) -> bool:
        answer = person.post("/api/v1/assignments/claim/", {"project": self.project})
        if answer.status_code in (204, 403):  # nothing to do, or paused by a manager
            return False
        if answer.status_code not in (200, 201):
            raise SimulationFailed(f"{person.name} claims: {answer.status_code} {answer.text[:500]}")
        assignment = answer.json()
        body = {"token": assignment["token"], **person.draw(self.truth, assignment)}
        time.sleep(self.think_s)
        person.put(f"/api/v1/assignments/{assignment['id']}/draft/", body)
        answer = person.post(f"/api/v1/assignments/{assignment['id']}/submit/", body)
        if answer.status_code in (409, 410):  # the lease ran out meanwhile, or a ban revoked it
            return True
        if answer.status_code != 200:
            raise SimulationFailed(f"{person.name} submits: {answer.status_code} {answer.text[:500]}")
        person.submitted += 1
        self.on_submitted(person.name)
        return True


def person(name: str, token: str, url: str, brain: Worker | None, seed: int) -> Person:
    """A worker with a connection of their own; without a `brain` they draw perfectly."""
    http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=TIMEOUT_S)
    return Person(name, http, brain, np.random.default_rng(seed))
