"""How releases differ, and where their boxes came from."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access
from annotation.answering import get_or_404
from annotation.api_base import View
from annotation.core.problems import Invalid, Problem
from review import comparing, explaining, serializers
from review.models import Release


def release_for(request: Request, release_id: str) -> Release:
    return get_or_404(access.visible(Release.objects.all(), request.user), release_id)


class Diff(View):
    """From this release to the one that `with` names, of the same project."""

    @extend_schema(
        parameters=[OpenApiParameter("with", str, required=True)], responses={200: serializers.DiffSerializer}
    )
    def get(self, request: Request, release_id: str) -> Response:
        before = release_for(request, release_id)
        after = get_or_404(Release.objects.filter(project=before.project_id), request.query_params.get("with", ""))
        videos = comparing.diff(before=before, after=after)
        return Response({"before": before.pk, "after": after.pk, "videos": videos})


class Trace(View):
    """One box: a track of a video of this release on one frame."""

    @extend_schema(
        parameters=[
            OpenApiParameter("video", str, required=True),
            OpenApiParameter("track", int, required=True),
            OpenApiParameter("frame", int, required=True),
        ],
        responses={200: serializers.TraceSerializer},
    )
    def get(self, request: Request, release_id: str) -> Response:
        release = release_for(request, release_id)
        number, frame = (_number(request, name) for name in ("track", "frame"))
        video_id = request.query_params.get("video", "")
        return Response(explaining.trace(release=release, video_id=video_id, number=number, frame=frame))


def _number(request: Request, name: str) -> int:
    value = request.query_params.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Invalid([Problem(f"/{name}", "must be a number")])
    return int(value)
