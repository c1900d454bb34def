"""What the headers of a resumable upload say (tus 1.0.0, https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
import binascii
import re

from annotation.core.problems import Invalid, Problem, shown
from annotation.core.values import text_problem

#: Bytes of the largest upload.
MAX_BYTES = 1 << 40
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def parse_count(name: str, text: str | None, low: int = 0) -> int:
    """A header that counts bytes. Invalid, with the header as its place, for anything else.

    >>> parse_count("Upload-Offset", "70")
    70
    """
    if text is None:
        raise Invalid([Problem(f"/{name}", "is required")])
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) >= low):
        raise Invalid([Problem(f"/{name}", f"must be a whole number of bytes from {low} on, not {shown(text)}")])
    return int(text)


def parse_metadata(text: str | None) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a key and a value in base64, with commas between; a value may be left out.

    >>> parse_metadata("filename YS5tcDQ=,draft")
    {'filename': 'a.mp4', 'draft': ''}
    """
    found: dict[str, str] = {}
    for pair in (text or "").split(",") if text and text.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not key or key in found:
            raise _wrong(f"has a key that is {'there twice' if key else 'empty'}")
        found[key] = _decoded(key, value.strip())
    if found.get("sha256") and not _SHA256.fullmatch(found["sha256"]):
        raise _wrong("sha256 is 64 hexadecimal digits in small letters")
    return found


def _decoded(key: str, value: str) -> str:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        raise _wrong(f"the value of {shown(key)} is no text in base64") from None
    if problem := text_problem(text):
        raise _wrong(f"the value of {shown(key)} {problem}")
    return text


def _wrong(message: str) -> Invalid:
    return Invalid([Problem("/Upload-Metadata", message)])
