"""Single values of an input: texts and numbers, as they may be stored and sent on."""

from __future__ import annotations

import math
import re

from annotation.core.problems import shown

ID_LENGTH = 100
TEXT_LENGTH = 1000

# Control characters upset databases (NUL), terminals and XML; half surrogate pairs cannot be encoded at all.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def text_problem(value: object, length: int = TEXT_LENGTH) -> str | None:
    """Why a value is no storable text, or None."""
    if not isinstance(value, str):
        return f"must be a text, not {shown(value)}"
    if len(value) > length:
        return f"has {len(value)} characters; at most {length} are kept"
    if _UNFIT.search(value):
        return "holds control characters or broken Unicode"
    return None


def name_problem(value: object, length: int = ID_LENGTH) -> str | None:
    """Why a value is no name or id, or None: a text that is not empty and stays on its line."""
    problem = text_problem(value, length)
    if problem or not isinstance(value, str):
        return problem
    if not value.strip() or value != value.strip():
        return "must not be empty or begin or end with blanks"
    if "\n" in value or "\r" in value or "\t" in value:
        return "must stay on one line"
    return None


def number_problem(value: object) -> str | None:
    """Why a value is no usable number, or None; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, not {shown(value)}"
    if isinstance(value, int) and abs(value) >= 2**53:
        return "is too large"
    if not math.isfinite(value):
        return f"must be a finite number, not {value}"
    return None


def boolean_problem(value: object) -> str | None:
    """Why a value is neither true nor false, or None."""
    return None if isinstance(value, bool) else f"must be true or false, not {shown(value)}"
