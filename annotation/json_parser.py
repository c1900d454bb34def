"""How JSON bodies are read: bounded, strict, and nothing in them that a database cannot hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from annotation.core.json_input import MAX_BYTES, load_json
from annotation.core.problems import Invalid, Problem

# An escape that is not itself escaped; neither database takes NUL in text, nor half a surrogate pair.
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BodyTooLarge(APIException):
    """The body is larger than anything this address takes."""

    status_code = 413
    default_detail = f"The body is too large: at most {MAX_BYTES} bytes of JSON are read."


class StrictJSONParser(BaseParser):
    """JSON of at most MAX_BYTES; raises core.problems.Invalid with a pointer for everything that is wrong with it."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise BodyTooLarge
        value = load_json(raw)
        if NUL.search(raw):
            raise Invalid([Problem("", "the character NUL cannot be stored")])
        if SURROGATE.search(raw) and not _encodable(value):
            raise Invalid([Problem("", "half a surrogate pair is no text")])
        return value


def _encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
