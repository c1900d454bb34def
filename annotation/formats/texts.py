"""JSON text in small pieces, for writers that put rows together from them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from annotation.core.tracks import Floats
from annotation.formats.columns import Choice


def json_bytes(value: Any) -> bytes:
    """Compact JSON, keys in the order given; ASCII, so that it may stand in any text. ValueError for NaN."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def shares(values: Floats, before: bytes) -> Choice:
    """`before` and the number for each row, nothing where it is NaN; few distinct numbers are expected."""
    distinct, index = np.unique(values, return_inverse=True)
    table = [b"" if np.isnan(v) else before + json_bytes(v) for v in distinct.tolist()]
    return Choice(table or [b""], index.ravel())
