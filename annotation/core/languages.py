"""Languages as tags (BCP 47): `en`, `pt-BR`. A project's `pt` is spoken by whoever speaks `pt-BR`, not the reverse."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_LANGUAGES = 50
TAG = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}"


def is_language(value: object) -> bool:
    """Whether it is the tag of a language."""
    return isinstance(value, str) and re.fullmatch(TAG, value) is not None


def speaks(spoken: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether any wanted language is spoken (basic filtering of RFC 4647); where none is wanted, everybody does.

    >>> speaks(["pt-BR"], ["de", "pt"])
    True
    """
    wanted = [w.lower() for w in wanted]
    tags = [s.lower() for s in spoken]
    return not wanted or any(tag == w or tag.startswith(f"{w}-") for tag in tags for w in wanted)
