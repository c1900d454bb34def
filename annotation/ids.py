"""Opaque ids: random, so that they tell nothing about order, number or kind, and a random id is a random place."""

from __future__ import annotations

import secrets

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
LENGTH = 16


def new_id() -> str:
    """16 characters of 5 random bits each: 80 bits, sorted alike by every database's collation."""
    return "".join(ALPHABET[byte & 31] for byte in secrets.token_bytes(LENGTH))
