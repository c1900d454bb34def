"""The rows that a request is about, as far as the caller may see them."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from annotation.access import Capability, require, visible, visible_projects
from annotation.answering import get_or_404
from annotation.models import Project, Video


def project_for(request: Request, project_id: str, *capabilities: Capability) -> Project:
    """The project: Missing where the caller may not see it, Forbidden where they lack a capability in it."""
    project = get_or_404(visible_projects(request.user), project_id)
    if capabilities:
        require(request.user, project, *capabilities)
    return project


def video_for(request: Request, video_id: str, *capabilities: Capability) -> Video:
    """The video, likewise."""
    video = get_or_404(visible(Video.objects.select_related("project"), request.user), video_id)
    if capabilities:
        require(request.user, video.project, *capabilities)
    return video


def read(serializer: type[Serializer], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The body as the serializer describes it; null is as if left out. ValidationError becomes 400 with pointers."""
    data = request.data
    if not isinstance(data, QueryDict):  # in a form nothing is null, and an empty field is one that is left out
        data = {name: value for name, value in data.items() if value is not None}
    given = serializer(data=data, partial=partial)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
