"""Bytes that only whoever has the key reads: sealed so that a copy of a database tells nothing of them.

The tag is an HMAC of the content and begins the keystream (as in SIV), so equal content seals equally under one key, no
random number is needed, and what was sealed under another key is recognised.
"""

from __future__ import annotations

import hashlib
import hmac

TAG_BYTES = 32


def seal(key: bytes, content: bytes) -> bytes:
    """`content`, sealed: 32 bytes longer.

    >>> opened(b"key", seal(b"key", b"told once"))
    b'told once'
    """
    tag = _tag(key, content)
    return tag + _mixed(key, tag, content)


def opened(key: bytes, sealed: bytes) -> bytes:
    """What was sealed under this key; ValueError for anything else."""
    tag = sealed[:TAG_BYTES]
    content = _mixed(key, tag, sealed[TAG_BYTES:])
    if not hmac.compare_digest(tag, _tag(key, content)):
        raise ValueError("it was sealed under another key")
    return content


def _tag(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, b"content" + content, hashlib.sha256)


def _mixed(key: bytes, tag: bytes, content: bytes) -> bytes:
    stream = hashlib.shake_256(hmac.digest(key, b"stream" + tag, hashlib.sha256)).digest(len(content))
    mixed = int.from_bytes(content, "big") ^ int.from_bytes(stream, "big")
    return mixed.to_bytes(len(content), "big")
