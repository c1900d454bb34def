"""Requests that are sent again where that is safe: every POST carries an Idempotency-Key, so that it has one effect."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from trackweave_client.errors import ApiError, Failed, Unreachable

ATTEMPTS = 6
LONGEST_WAIT_S = 30.0
#: The site or a proxy before it is busy or away for a moment.
PASSING = (429, 502, 503, 504)
UNDER_WAY = "urn:trackweave:idempotency-key-under-way"


class Transport:
    """One site, one token. `sleep` waits between attempts."""

    def __init__(
        self, url: str, token: str, *, attempts: int = ATTEMPTS, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        timeout = httpx.Timeout(60.0, connect=10.0)
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=timeout)
        self.attempts, self.sleep = attempts, sleep

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **params: Any) -> Any:
        return said(self.send("GET", path, params=params or None))

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """`key`: the Idempotency-Key of an attempt that may have been made before, also by another process."""
        return said(self.send("POST", path, json={} if body is None else body, key=key))

    def send(self, method: str, path: str, *, key: str | None = None, **how: Any) -> httpx.Response:
        """The answer to a request that may be sent several times. ApiError for what the site refuses, Unreachable
        where it does not answer."""
        headers = dict(how.pop("headers", {}))
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        patience = Patience(self)
        while True:
            try:
                answer = self.http.request(method, path, headers=headers, **how)
            except httpx.TransportError as error:
                patience.lose(error)
                continue
            if answer.is_success:
                return answer
            refusal = ApiError(answer)
            if answer.status_code not in PASSING and refusal.type != UNDER_WAY:
                raise refusal
            patience.lose(refusal, answer.headers.get("Retry-After", ""))


def said(answer: httpx.Response) -> Any:
    """The JSON of an answer. Failed where it is none: somebody else answers in the site's place."""
    try:
        return answer.json()
    except ValueError:
        kind = answer.headers.get("Content-Type", "nothing")
        raise Failed(f"{answer.url} answered {kind} instead of JSON: is the site really there?") from None


class Patience:
    """Counts failures in a row and waits ever longer between attempts."""

    def __init__(self, transport: Transport) -> None:
        self.transport, self.lost = transport, 0

    def renew(self) -> None:
        """There was progress."""
        self.lost = 0

    def lose(self, error: Exception, retry_after: str = "") -> None:
        """Wait before the next attempt; where there were enough, raise."""
        self.lost += 1
        if self.lost >= self.transport.attempts:
            if isinstance(error, ApiError):
                raise error
            told = str(error) or type(error).__name__
            raise Unreachable(f"{self.transport.http.base_url} does not answer: {told}") from error
        wait_s = min(LONGEST_WAIT_S, 0.5 * 2 ** (self.lost - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
        asked_s = float(retry_after) if retry_after.isdigit() else 0.0
        self.transport.sleep(max(wait_s, min(asked_s, LONGEST_WAIT_S)))
