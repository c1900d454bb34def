"""Addresses that take tracks as JSON, or a file with tracks in any format."""

from __future__ import annotations

from typing import Any

from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.settings import api_settings

from annotation import importing
from annotation.access import Capability
from annotation.answering import text
from annotation.api.rows import project_for
from annotation.api_base import View
from annotation.core.problems import Invalid, Problem
from annotation.errors import Conflict
from annotation.lifecycle import VideoStatus
from annotation.models import Project, Video


def video_in(project: Project, data: Any, *, ready: bool = True) -> Video:
    """The video that a body names, if it is the project's and its frames are known."""
    video = Video.objects.filter(project=project, pk=text(data, "video")).first()
    if video is None:
        raise Invalid([Problem("/video", "there is no such video in this project")])
    if ready and video.status != VideoStatus.READY:
        raise Conflict(f"The video is {video.status}; wait until it is ready.")
    return video


class TakesFiles(View):
    """A file is read before the transaction begins, and only for who may send one; `upload` is None for JSON."""

    parser_classes = (*api_settings.DEFAULT_PARSER_CLASSES, MultiPartParser)
    upload: importing.Upload | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and request.content_type.startswith("multipart/"):
            project = project_for(request, kwargs["project_id"], Capability.RUN)
            video = video_in(project, request.data)
            self.upload = importing.read_upload(project=project, video=video, data=request.data)
