"""What clients take home: progress, stitched tracks, releases, exports."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access
from annotation.access import Capability
from annotation.answering import get_or_404, paged, text
from annotation.api.rows import project_for
from annotation.api.videos import WhateverIsAccepted
from annotation.api_base import Pages, View
from annotation.core.problems import Invalid, Problem
from annotation.core.tracks import Tracks, to_json
from annotation.errors import Conflict
from annotation.formats.registry import FORMATS
from annotation.lifecycle import VideoStatus
from annotation.models import Project, Video
from annotation.serving import serve_file
from review import composing, exporting, presenting, releasing, serializers, stitching, watching
from review.assembling import Whole
from review.core.objects import Object
from review.core.selection import parse_selection
from review.errors import NotReady
from review.lifecycle import WorkStatus
from review.models import Export, Release, Stitch
from review.progress_serializers import ProgressSerializer

TYPES = sorted({f.media_type for f in FORMATS.values()})
FILES = {(code, kind): OpenApiTypes.BINARY for code in (200, 206) for kind in TYPES} | {302: None, 304: None}


class Progress(View):
    @extend_schema(responses=ProgressSerializer)
    def get(self, request: Request, project_id: str) -> Response:
        return Response(watching.progress(project_for(request, project_id)))


class VideoTracks(View):
    """Stitched tracks of a video on a range of frames, in the order of their numbers."""

    @extend_schema(
        operation_id="video_tracks_list",
        parameters=[OpenApiParameter("start", int), OpenApiParameter("stop", int), OpenApiParameter("label", str)],
        responses=serializers.ConsensusTrackSerializer(many=True),
    )
    def get(self, request: Request, video_id: str) -> Response:
        video = get_or_404(access.visible(Video.objects.all(), request.user), video_id)
        if video.status != VideoStatus.READY:
            raise Conflict(f"The video is {video.status}.")
        start = _frame(request, "start", 0, video.frame_count or 0)
        stop = _frame(request, "stop", video.frame_count or 0, video.frame_count or 0)
        row = stitching.stitch_video(video_id=video.pk)
        whole = _whole(row) if row and start < stop else None
        label = request.query_params.get("label")
        numbers = [
            n
            for n, found in (whole.objects.items() if whole else ())
            if found.start < stop and found.stop > start and label in (None, found.label)
        ]
        return self._page(request, whole, numbers, start, stop)

    def _page(self, request: Request, whole: Whole | None, numbers: list[int], start: int, stop: int) -> Response:
        after = _cursor(request)
        size = min(100, Pages().get_page_size(request) or 100)
        rest = [n for n in numbers if n > after]
        page = rest[:size]
        tracks = to_json(_read(whole, page, start, stop))["tracks"] if whole and page else []
        following = _address(request, page[-1]) if len(rest) > size else None
        return Response({"next": following, "previous": None, "results": tracks})


@lru_cache(maxsize=8)
def _objects(stitch_id: Any, content: str) -> dict[int, Object]:
    """What the objects of a stitch are as wholes, which takes reading all of it. A stitch never changes."""
    return Whole(Stitch.objects.select_related("video").get(pk=stitch_id, content_sha256=content)).objects


def _whole(row: Stitch) -> Whole:
    whole = Whole(row)
    whole.objects = _objects(row.pk, row.content_sha256)
    return whole


def _read(whole: Whole, numbers: list[int], start: int, stop: int) -> Tracks:
    """Some tracks on `[start, stop)`; only segments on which one of them is are read."""
    spans = [whole.objects[n] for n in numbers]
    # The frame after its last one says that an object is gone.
    return whole.tracks(numbers, max(start, min(o.start for o in spans)), min(stop, max(o.stop for o in spans) + 1))


def _address(request: Request, after: int) -> str:
    query = request.query_params.copy()
    query["cursor"] = str(after)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _cursor(request: Request) -> int:
    """The number of the last track of the page before; 0 for the first page."""
    value = request.query_params.get("cursor", "0")
    if not (value.isascii() and value.isdigit() and len(value) < 17):
        raise NotFound(Pages.invalid_cursor_message)
    return int(value)


def _frame(request: Request, name: str, default: int, high: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 17):
        raise Invalid([Problem(f"/{name}", "must be a frame number")])
    return min(int(value), high)


class ReleaseList(View):
    @extend_schema(operation_id="releases_list", responses=serializers.ReleaseSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        rows = Release.objects.filter(project=project_for(request, project_id)).defer("decided", "content")
        return paged(self, rows, presenting.release_body, ordering="number")

    @extend_schema(request=None, responses={201: serializers.ReleaseSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        made = releasing.release(project=project, by=request.user)
        made.refresh_from_db()
        return Response(presenting.release_body(made), status=201)


class ReleaseDetail(View):
    @extend_schema(responses=serializers.ReleaseSerializer)
    def get(self, request: Request, release_id: str) -> Response:
        row = get_or_404(access.visible(Release.objects.all(), request.user), release_id)
        return Response(presenting.release_body(row))


class ExportList(View):
    @extend_schema(operation_id="exports_list", responses=serializers.ExportSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        rows = Export.objects.filter(release__project=project_for(request, project_id))
        return paged(self, rows, presenting.export_body)

    @extend_schema(request=serializers.ExportInSerializer, responses={202: serializers.ExportSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        name = text(request.data, "format")
        if name not in FORMATS:
            raise Invalid([Problem("/format", f"must be one of {', '.join(FORMATS)}")])
        video = _video_in(project, request.data)
        selection = parse_selection(request.data, composing.label_names(project))
        release = _release_in(project, request)
        made = exporting.export(release=release, format=name, video=video, by=request.user, selection=selection)
        return Response(presenting.export_body(made), status=202)


def _video_in(project: Project, data: Any) -> Video | None:
    if data.get("video") is None:
        return None
    found = Video.objects.filter(project=project, pk=text(data, "video")).first()
    if found is None:
        raise Invalid([Problem("/video", "there is no such video in this project")])
    return found


def _release_in(project: Project, request: Request) -> Release:
    if request.data.get("release") is None:
        return releasing.release(project=project, by=request.user)
    found = Release.objects.filter(project=project, pk=text(request.data, "release")).first()
    if found is None:
        raise Invalid([Problem("/release", "there is no such release in this project")])
    return found


def export_for(request: Request, export_id: str) -> Export:
    rows = Export.objects.select_related("release__project", "video")
    return get_or_404(access.visible(rows, request.user, through="release__project"), export_id)


class ExportDetail(View):
    @extend_schema(responses=serializers.ExportSerializer)
    def get(self, request: Request, export_id: str) -> Response:
        return Response(presenting.export_body(export_for(request, export_id)))


class ExportDownload(View):
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses=FILES)
    def get(self, request: Request, export_id: str) -> HttpResponseBase:
        row = export_for(request, export_id)
        if row.status != WorkStatus.READY:
            raise NotReady(row.reason or None)
        return serve_file(
            request,
            row.file,
            etag=row.sha256,
            bytes=row.bytes or 0,
            content_type=FORMATS[row.format].media_type,
            download_as=exporting.file_name(row),
        )
