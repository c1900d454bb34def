from __future__ import annotations

import os

import pytest

from annotation.core.sealing import opened, seal


@pytest.mark.parametrize("content", [b"", b"\0", b"told once" * 99, bytes(70), os.urandom(1 << 16)])
def test_what_is_sealed_is_opened_by_its_key_alone(content: bytes) -> None:
    sealed = seal(b"key", content)
    assert opened(b"key", sealed) == content
    assert len(content) < 8 or content not in sealed
    for key, other in ((b"another", sealed), (b"key", sealed[:-1]), (b"key", bytes([sealed[0] ^ 1]) + sealed[1:])):
        with pytest.raises(ValueError):
            opened(key, other)


def test_two_contents_under_one_key_do_not_tell_of_each_other() -> None:
    one, other = (seal(b"key", content)[32:] for content in (b"a" * 64, b"b" * 64))
    assert bytes(x ^ y for x, y in zip(one, other, strict=True)) != bytes([ord("a") ^ ord("b")]) * 64
