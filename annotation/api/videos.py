"""Videos, their frames as pictures, their frame maps, and clips."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import clipping, ingesting, picture_query, picturing, storing
from annotation import serializers as s
from annotation.access import Capability
from annotation.answering import paged
from annotation.api.rows import project_for, read, video_for
from annotation.api_base import View
from annotation.media.frame_map import FrameMap
from annotation.models import Video
from annotation.serving import serve_bytes, serve_file
from annotation.settling import read_frame_map

PICTURES = {(200, content_type): OpenApiTypes.BINARY for content_type in picturing.CONTENT_TYPES.values()} | {304: None}
CLIPS = {(code, "video/mp4"): OpenApiTypes.BINARY for code in (200, 206)} | {304: None}


class WhateverIsAccepted(BaseContentNegotiation):
    """Pictures and clips are what they are, whatever the Accept header says; errors are JSON."""

    def select_parser(self, request: Request, parsers: list[Any]) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class VideoList(View):
    parser_classes = (MultiPartParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The file goes to the storage before the transaction begins, and only for who may upload."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            project_for(request, kwargs["project_id"], Capability.RUN)
            self.given = read(s.NewVideoSerializer, request)
            self.stored = storing.keep(self.given["file"], "videos")

    @extend_schema(operation_id="videos_list", responses=s.VideoSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id)
        rows = Video.objects.filter(project=project)
        return paged(self, rows, lambda row: s.VideoSerializer(row).data, ordering="created_at")

    @extend_schema(request={"multipart/form-data": s.NewVideoSerializer}, responses={201: s.VideoSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        name = self.given.get("name") or ingesting.name_of_file(self.given["file"].name)
        video = ingesting.register(project=project, file=self.stored, name=name, by=request.user)
        video.refresh_from_db()
        return Response(s.VideoSerializer(video).data, status=201)


class VideoDetail(View):
    @extend_schema(responses=s.VideoSerializer)
    def get(self, request: Request, video_id: str) -> Response:
        return Response(s.VideoSerializer(video_for(request, video_id)).data)


class VideoPicture(View):
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        parameters=[*picture_query.PARAMETERS, OpenApiParameter("n", int, OpenApiParameter.PATH)],
        responses=PICTURES,
    )
    def get(self, request: Request, video_id: str, n: int) -> HttpResponseBase:
        video = video_for(request, video_id)
        return picturing.answer(request, picturing.video_picture(video, n, *picture_query.read(request)))


class VideoFrameMap(View):
    @extend_schema(responses={200: s.FrameMapSerializer, 304: None})
    def get(self, request: Request, video_id: str) -> HttpResponseBase:
        video = video_for(request, video_id)
        ingesting.require_ready(video)
        frame_map = read_frame_map(video)
        etag = f"{frame_map.sha256}-{frame_map.settled}"

        def body() -> bytes:
            return JSONRenderer().render(frame_map_body(video, frame_map))

        return serve_bytes(request, body, etag=etag, content_type="application/json", lasting=False)


def frame_map_body(video: Video, frame_map: FrameMap) -> dict[str, Any]:
    """A frame map as FrameMapSerializer describes it."""
    return {
        "video": video.pk,
        "frame_count": len(frame_map),
        "settled_frames": frame_map.settled,
        "time_base": [frame_map.time_base.numerator, frame_map.time_base.denominator],
        "times": frame_map.times.tolist(),
        "times_s": frame_map.times_s().tolist(),
        "undecodable": list(frame_map.undecodable),
        "sha256": frame_map.sha256,
    }


class ClipFile(View):
    """A segment's clip, for whoever was given its address."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(auth=[], responses=CLIPS)
    def get(self, request: HttpRequest, signed: str) -> HttpResponseBase:
        clip = clipping.read_clip_url(signed)
        return serve_file(request, clip.file, etag=clip.sha256, bytes=clip.bytes, content_type="video/mp4")
