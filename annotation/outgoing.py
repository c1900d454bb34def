"""The one way out to addresses that somebody else chose: a POST that never reaches what is not public.

A name is resolved here, every address that it has is checked, and the connection goes to a checked address and not to
the name, which may mean something else a moment later. Nothing is followed, no proxy is asked, and everything together
ends at one deadline.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

import httpcore

TIMEOUT_S = 10.0
MOST_REDIRECTS = 3
KEEPS_METHOD = (307, 308)
# Networks that lead on to addresses of others: 6to4 and its relays, and the translation of IPv4 (RFC 3056, RFC 6052).
TUNNELS = tuple(ipaddress.ip_network(n) for n in ("2002::/16", "192.88.99.0/24", "64:ff9b::/96", "64:ff9b:1::/48"))
# All of IPv6 that is public lies here. What Python calls global beside it are private addresses under older names
# (fec0::/10), and IPv4's in other words (::127.0.0.1, ::ffff:0:127.0.0.1).
UNICAST = ipaddress.ip_network("2000::/3")
# What the versions of Python that this runs on do not know yet (RFC 9637), or call global although it leads nowhere.
NOWHERE = tuple(ipaddress.ip_network(n) for n in ("3fff::/20", "192.0.0.0/24"))

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NotReached(Exception):
    """The address could not be reached."""


class NotPublic(NotReached):
    """The address lies in a network that is not public; the operator would have to allow it."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, how long it took, and after how many redirects."""

    status: int
    seconds: float
    redirects: int


def post(url: str, body: bytes, headers: Mapping[str, str], *, allowed: Iterable[Network] = ()) -> Answer:
    """Send `body`; NotReached, with the reason, where nothing came back."""
    begun, allowed = time.monotonic(), tuple(allowed)
    backend = _Guarded(allowed, deadline=begun + TIMEOUT_S)
    for redirects in range(MOST_REDIRECTS + 1):
        status, location = _post_once(url, body, headers, backend)
        if status not in KEEPS_METHOD or not location:
            return Answer(status, time.monotonic() - begun, redirects)
        url = urljoin(url, location)
        if problem := url_problem(url, allowed):
            raise NotReached(f"It redirects to an address that {problem}.")
    raise NotReached(f"It redirects more than {MOST_REDIRECTS} times.")


def url_problem(url: str, allowed: Iterable[Network] = ()) -> str | None:
    """What is wrong with an address before anything is resolved; None where nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a valid URL"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must start with https:// or http:// and name a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a name or a password; use the secret"
    if port == 0 or any(ord(c) <= 32 or ord(c) > 126 for c in url):
        return "is not a valid URL; write other than ASCII letters percent-encoded"
    try:
        check_address(parts.hostname, tuple(allowed))
    except NotPublic:
        return "lies in a network that is not public"
    except ValueError:  # a name: it is looked at when it is resolved
        pass
    return None


def check_address(address: str, allowed: tuple[Network, ...]) -> None:
    """NotPublic unless an IP address is public or lies in a network that the operator allowed."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    if any(ip in network for network in allowed if network.version == ip.version):
        return
    known = any(ip in network for network in (*TUNNELS, *NOWHERE) if network.version == ip.version)
    beside = ip.version == UNICAST.version and ip not in UNICAST
    if not ip.is_global or ip.is_multicast or known or beside:
        raise NotPublic(f"{ip} is not a public address.")


def _post_once(url: str, body: bytes, headers: Mapping[str, str], backend: _Guarded) -> tuple[int, str]:
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
            pool.stream("POST", url, headers=dict(headers), content=body, extensions=_timeouts(backend)) as answer,
        ):
            # The body is nobody's business, and may have no end.
            location = next((v for k, v in answer.headers if k.lower() == b"location"), b"")
            return answer.status, location.decode("latin-1")
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError, ValueError) as error:
        # A ValueError: the name is none that can be resolved, or the port none.
        raise NotReached(f"{type(error).__name__}: {error}".rstrip(": ")) from error


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _timeouts(backend: _Guarded) -> dict[str, dict[str, float]]:
    return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), backend.left())}


class _Guarded(httpcore.NetworkBackend):
    def __init__(self, allowed: tuple[Network, ...], deadline: float) -> None:
        self._allowed, self._deadline, self._inner = allowed, deadline, httpcore.SyncBackend()

    def left(self) -> float:
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout(f"no answer within {TIMEOUT_S:g} s")
        return seconds

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for address in found:
            check_address(address, self._allowed)
        stream = self._inner.connect_tcp(found[0], port, self.left(), local_address, socket_options)
        return _Timed(stream, self)

    def connect_unix_socket(self, path, timeout=None, socket_options=None):
        raise NotPublic("A socket on this machine is no address.")


class _Timed(httpcore.NetworkStream):
    """A stream whose every step ends at the deadline of the whole."""

    def __init__(self, inner: httpcore.NetworkStream, backend: _Guarded) -> None:
        self._inner, self._backend = inner, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, self._backend.left()), self._backend)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
