"""The manifest that every export carries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """JSON for people and programs, the same bytes for the same content."""
    return json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"
