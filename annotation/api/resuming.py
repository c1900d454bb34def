"""Uploads that can be gone on with: the tus protocol 1.0.0, with `creation`, `expiration` and `termination`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import ingesting, receiving
from annotation import serializers as s
from annotation.access import Capability, require, visible
from annotation.answering import get_or_404, paged
from annotation.api.rows import project_for
from annotation.api_base import View
from annotation.core.problems import Invalid
from annotation.core.problems import Problem as Place
from annotation.core.resumable import MAX_BYTES, parse_count, parse_metadata
from annotation.errors import Problem
from annotation.lifecycle import UploadStatus
from annotation.models import Upload

VERSION = "1.0.0"
BYTES = "application/offset+octet-stream"
ABLE = {"Tus-Version": VERSION, "Tus-Extension": "creation,expiration,termination", "Tus-Max-Size": str(MAX_BYTES)}


def told(name: str, **schema: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, required=True)


TUS = told("Tus-Resumable", type="string", enum=[VERSION])
LENGTH = told("Upload-Length", type="integer", minimum=1, maximum=MAX_BYTES)
OFFSET = told("Upload-Offset", type="integer", minimum=0, maximum=MAX_BYTES)
METADATA = told("Upload-Metadata", type="string")
WHERE = OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[201])
STANDS = [
    OpenApiParameter(name, kind, OpenApiParameter.HEADER, response=[204])
    for name, kind in (("Upload-Offset", int), ("Upload-Expires", str), ("Trackweave-Video", str))
]


class OtherVersion(Problem):
    """Say `Tus-Resumable: 1.0.0`; no other version is spoken here."""

    status = 412
    code = "tus-version"


class TusView(View):
    """OPTIONS says what is spoken here, to anybody; everything else but reading has to speak it."""

    telling_headers = ("Upload-Length", "Upload-Metadata")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method == "OPTIONS":
            return
        if request.method == "PATCH":  # its body is no JSON, and no transaction is open while it arrives
            APIView.initial(self, request, *args, **kwargs)
        else:
            super().initial(request, *args, **kwargs)
        known = hasattr(self, str(request.method).lower())  # whatever else somebody speaks: 405
        if known and request.method != "GET" and request.headers.get("Tus-Resumable") != VERSION:
            raise OtherVersion(headers=ABLE)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response.headers["Tus-Resumable"] = VERSION
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204, headers=ABLE)


class UploadList(TusView):
    @extend_schema(operation_id="uploads_list", responses=s.UploadSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        rows = Upload.objects.filter(project=project_for(request, project_id, Capability.RUN))
        return paged(self, rows, lambda row: s.UploadSerializer(row).data, ordering="created_at")

    @extend_schema(
        parameters=[TUS, LENGTH, METADATA, WHERE],
        request=None,
        responses={201: s.UploadSerializer},
    )
    def post(self, request: Request, project_id: str) -> Response:
        """Begin an upload. The metadata are `filename`, and if wanted `name` (the video's) and `sha256` (in hex), which
        is then checked."""
        project = project_for(request, project_id, Capability.RUN)
        made = receiving.begin(project=project, by=request.user, **_announced(request))
        return Response(s.UploadSerializer(made).data, status=201, headers=_standing(made) | _where(made))


class UploadDetail(TusView):
    @extend_schema(responses=s.UploadSerializer)
    def get(self, request: Request, upload_id: str) -> Response:
        return Response(s.UploadSerializer(upload_for(request, upload_id)).data)

    def head(self, request: Request, upload_id: str) -> Response:
        upload = upload_for(request, upload_id)
        if upload.status not in (UploadStatus.OPEN, UploadStatus.DONE):
            raise receiving.UploadGone(upload.reason or None)
        return Response(headers=_standing(upload))

    @extend_schema(
        parameters=[TUS, OFFSET, *STANDS],
        request={BYTES: OpenApiTypes.BINARY},
        responses={204: OpenApiResponse(description="All of it is stored.")},
    )
    def patch(self, request: Request, upload_id: str) -> Response:
        """Send on from an offset. With the last byte the video is made, as by a POST to the project's videos; its id
        comes in `Trackweave-Video`."""
        upload = upload_for(request, upload_id)
        if request.content_type != BYTES:
            raise UnsupportedMediaType(request.content_type)
        at = parse_count("Upload-Offset", request.headers.get("Upload-Offset"))
        if at + _declared(request) > upload.bytes:
            raise receiving.TooLarge(f"The file was to have {upload.bytes} bytes.")
        receiving.receive(upload=upload, at=at, read=request._request.read)
        return Response(status=204, headers=_standing(_finished(upload)))

    @extend_schema(parameters=[TUS], responses={204: None})
    def delete(self, request: Request, upload_id: str) -> Response:
        receiving.end(upload=upload_for(request, upload_id))
        return Response(status=204)


def upload_for(request: Request, upload_id: str) -> Upload:
    rows = Upload.objects.select_related("project")
    upload = get_or_404(visible(rows, request.user), upload_id)
    require(request.user, upload.project, Capability.RUN)
    return upload


def _announced(request: Request) -> dict[str, Any]:
    length = parse_count("Upload-Length", request.headers.get("Upload-Length"), low=1)
    said = parse_metadata(request.headers.get("Upload-Metadata"))
    if not (said.get("name") or said.get("filename")):
        raise Invalid([Place("/Upload-Metadata", "filename is required")])
    name = said.get("name") or ingesting.name_of_file(said["filename"])
    return {"bytes": length, "name": name, "sha256": said.get("sha256", "")}


def _declared(request: Request) -> int:
    """Bytes that are to come, as far as the request says."""
    given = request.headers.get("Content-Length", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 17 else 0


def _finished(upload: Upload) -> Upload:
    """The upload as it stands, and the video of it once all is there."""
    receiving.finish(upload_id=upload.pk)
    upload.refresh_from_db()
    if upload.status == UploadStatus.FAILED:
        raise receiving.OtherContent(upload.reason)
    return upload


def _where(upload: Upload) -> Mapping[str, str]:
    return {"Location": receiving.upload_url(upload)}


def _standing(upload: Upload) -> dict[str, str]:
    said = {
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.bytes),
        "Upload-Expires": http_date(upload.expires_at.timestamp()),
    }
    return said | ({"Trackweave-Video": upload.video_id} if upload.video_id else {})
