"""Values as XML text."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr


def said(value: Any) -> str:
    """An attribute's value in words: truths as `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def xml_text(value: Any) -> str:
    """What stands between two tags. A bare carriage return would be read as the end of a line."""
    return escape(said(value), {"\r": "&#13;"})


def quoted(text: str) -> str:
    """An attribute of an element, with its quotes."""
    return quoteattr(text, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
