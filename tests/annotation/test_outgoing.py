"""POSTs to addresses that somebody else chose."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import outgoing
from tests.annotation.receiver import LOOPBACK, Receiver


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, 1, 6, "", (ip, 80)) for ip in ("93.184.215.14", "192.168.0.1")]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(outgoing.NotReached, match=r"192\.168\.0\.1 is not a public"):
        outgoing.post("http://example.org/", b"", {})


def test_the_checked_address_is_what_is_connected_to(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is looked at and private a moment later gets nowhere else."""
    asked: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", _only_to("127.0.0.1", socket.create_connection))
    answer = outgoing.post(f"http://rebinding.example:{receiver.port}/", b"{}", {}, allowed=LOOPBACK)
    assert answer.status == 200 and asked.count("rebinding.example") == 1
    assert receiver.came[0][1]["host"] == f"rebinding.example:{receiver.port}"


def _only_to(address: str, connect: Any) -> Any:
    def checked(where: Any, *args: Any, **kwargs: Any) -> Any:
        assert where[0] == address
        return connect(where, *args, **kwargs)

    return checked


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_is_followed_only_to_where_a_webhook_may_go(receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, {"Location": "/moved"}), (204, {})]
    answer = outgoing.post(receiver.url, b"{}", {}, allowed=LOOPBACK)
    assert (answer.status, answer.redirects) == (204, 1) and [c[0] for c in receiver.came] == ["/hook", "/moved"]
    receiver.answers = [(status, {"Location": "http://[::1]/"})]
    with pytest.raises(outgoing.NotReached):
        outgoing.post(receiver.url, b"{}", {}, allowed=LOOPBACK)
    receiver.answers = [(status, {"Location": receiver.url})] * 9
    with pytest.raises(outgoing.NotReached, match="more than 3"):
        outgoing.post(receiver.url, b"{}", {}, allowed=LOOPBACK)


def test_a_redirect_that_would_lose_the_body_is_an_answer(receiver: Receiver) -> None:
    receiver.answers = [(302, {"Location": "/login"})]
    assert outgoing.post(receiver.url, b"{}", {}, allowed=LOOPBACK).status == 302 and len(receiver.came) == 1


def test_who_answers_a_byte_at_a_time_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT_S", 1.0)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)
    over = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            for byte in b"HTTP/1.1 200 OK\r\n" + b"x-slow: yes\r\n" * 100:
                if over.wait(0.02):
                    return
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(outgoing.NotReached, match="no answer within|timed out"):
            outgoing.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}, allowed=LOOPBACK)
    finally:
        over.set()
        thread.join()
        server.close()


@given(st.ip_addresses())
def test_only_global_addresses_pass(ip: Any) -> None:
    try:
        outgoing.check_address(str(ip), ())
    except outgoing.NotPublic:
        return
    assert ip.is_global and not ip.is_private and not ip.is_loopback and not ip.is_link_local and not ip.is_multicast


PRIVATE_IN_OTHER_WORDS = (
    "::7f00:1",  # 127.0.0.1, as IPv4-compatible
    "::ffff:0:7f00:1",  # and as IPv4-translated
    "fec0::1",  # site-local, before fc00::/7
    "192.88.99.1",  # a relay of 6to4
    "192.0.0.8",
    "3fff::1",
    "5f00::1",
)


@pytest.mark.parametrize("address", PRIVATE_IN_OTHER_WORDS)
def test_a_private_address_in_other_words_is_private(address: str) -> None:
    with pytest.raises(outgoing.NotPublic):
        outgoing.check_address(address, ())
    host = f"[{address}]" if ":" in address else address
    assert outgoing.url_problem(f"http://{host}/") == "lies in a network that is not public"


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450::1"])
def test_a_public_address_passes(address: str) -> None:
    outgoing.check_address(address, ())


@pytest.mark.parametrize("url", ["http://a..example/", f"http://{'a' * 64}.example/"])
def test_a_name_that_cannot_be_resolved_is_not_reached(url: str) -> None:
    with pytest.raises(outgoing.NotReached, match="label"):
        outgoing.post(url, b"", {})
