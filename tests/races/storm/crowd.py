"""Workers over HTTP who never give up: a request is sent again with its key until it has an answer."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

API = "/api/v1/assignments/"
NOTHING_LEFT = 10  # times in a row


@dataclass
class Crowd:
    """What all of them share: where the site is, what they were told, and how often they had to ask again."""

    port: int
    project: str
    journal: Path
    acknowledged: int = 0
    asked_again: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    drawn: Any = field(default_factory=itertools.count)

    def note(self, seat: str, worker: str, corner: list[float]) -> None:
        """On disk before anybody counts it."""
        with self.lock, self.journal.open("a") as file:
            file.write(json.dumps([seat, worker, corner]) + "\n")
            self.acknowledged += 1


class Worker(threading.Thread):
    """Submits what it holds, claims a seat and submits it after each ninth, and goes on until there is nothing left."""

    def __init__(self, crowd: Crowd, name: str, token: str, held: list[dict[str, Any]]) -> None:
        super().__init__(name=name, daemon=True)
        self.crowd, self.held, self.keys = crowd, held, itertools.count()
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        self.connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        try:
            for number, seat in enumerate(self.held):
                self._submit(seat)
                if number % 9 == 8:
                    self._claim_and_submit()
            nothing = 0
            while nothing < NOTHING_LEFT:
                nothing = 0 if self._claim_and_submit() else nothing + 1
        except Exception as error:  # noqa: BLE001  whoever started the thread looks at it
            self.crowd.errors.append(f"{self.name}: {error!r}")
        finally:
            self._hang_up()

    def _claim_and_submit(self) -> bool:
        status, seat = self._ask("claim/", {"project": self.crowd.project})
        if status == 204:
            time.sleep(0.3)
            return False
        assert status in (200, 201), (status, seat)
        self._submit(seat)
        return True

    def _submit(self, seat: dict[str, Any]) -> None:
        number = next(self.crowd.drawn)
        corner = [(number % 200) / 4, (number // 200) / 8]
        frame, box = seat["segment"]["start"], [*corner, corner[0] + 20.0, corner[1] + 20.0]
        drawn = [{"id": "1", "label": "person", "keyframes": [{"frame": frame, "points": box}]}]
        status, answer = self._ask(f"{seat['id']}/submit/", {"token": seat["token"], "tracks": drawn})
        assert status == 200, (status, answer)
        self.crowd.note(seat["id"], self.name, corner)

    def _ask(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        headers = self.headers | {"Idempotency-Key": f"{self.name}-{next(self.keys)}"}
        while True:
            try:
                status, answer, replayed = self._post(path, json.dumps(body), headers)
            except (OSError, http.client.HTTPException) as error:
                self._hang_up()
                self._again(type(error).__name__)
                continue
            under_way = status == 409 and answer["type"].endswith("under-way")
            if status < 500 and not under_way:
                self.crowd.asked_again["replayed"] += replayed
                return status, answer
            self._again(str(status))

    def _again(self, why: str) -> None:
        with self.crowd.lock:
            self.crowd.asked_again[why] += 1
        time.sleep(0.2)

    def _hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _post(self, path: str, body: str, headers: dict[str, str]) -> tuple[int, Any, bool]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.crowd.port, timeout=60)
        self.connection.request("POST", API + path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        is_json = "json" in response.headers.get("Content-Type", "")
        answer = json.loads(content) if content and is_json else content.decode(errors="replace")
        return response.status, answer, "Idempotent-Replay" in response.headers
