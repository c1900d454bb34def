"""`?as=png|jpeg|webp&width=`: how a picture is asked for."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from annotation.core.problems import Invalid, Problem

KINDS = ("png", "jpeg", "webp")
MAX_WIDTH = 16384
PARAMETERS = [
    OpenApiParameter("as", str, enum=list(KINDS), default="png", description="The kind of picture."),
    OpenApiParameter(
        "width",
        {"type": "integer", "minimum": 1, "maximum": MAX_WIDTH},
        description="Scaled to this width; left out, the picture is as large as the video.",
    ),
]


def read(request: Request) -> tuple[str, int | None]:
    """The kind, and the width in pixels or None. Raises Invalid."""
    kind = request.query_params.get("as", "png")
    if kind not in KINDS:
        raise Invalid([Problem("/as", f"must be one of {', '.join(KINDS)}")])
    width = request.query_params.get("width")
    if width is None:
        return kind, None
    if not (width.isascii() and width.isdigit() and len(width) < 6 and 1 <= int(width) <= MAX_WIDTH):
        raise Invalid([Problem("/width", f"must be a whole number of pixels from 1 to {MAX_WIDTH}")])
    return kind, int(width)
