"""Qualification as managers see it, and accounts that are one person."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import Capability
from annotation.answering import get_or_404, paged, text
from annotation.api.rows import project_for
from annotation.api_base import View
from crowd import coaching, sanctioning
from crowd import qualification_serializers as s
from crowd.api.people import worker_in
from crowd.models import Qualification, SamePerson


class QualificationList(View):
    """How far everybody is who began a project's qualification."""

    @extend_schema(operation_id="qualification_list", responses=s.WorkerQualificationSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        rows = Qualification.objects.filter(project=project).select_related("worker", "by")
        return paged(self, rows, coaching.row_body)


class SamePersonList(View):
    """Accounts that were told to be one person: they never both sit at one task."""

    @extend_schema(operation_id="same_persons_list", responses=s.SamePersonSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        rows = SamePerson.objects.filter(project=project, lifted_at=None).select_related("one", "other", "by")
        return paged(self, rows, _pair_body, ordering="created_at")


class SamePersonOf(View):
    @extend_schema(
        request=s.SamePersonInSerializer, responses={201: s.SamePersonSerializer, 200: s.SamePersonSerializer}
    )
    def post(self, request: Request, project_id: str, user: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        workers = worker_in(project, user), worker_in(project, text(request.data, "user"), pointer="/user")
        reason = text(request.data, "reason")
        row, is_new = sanctioning.tell_same(project=project, workers=workers, by=request.user, reason=reason)
        row.refresh_from_db()
        return Response(_pair_body(row), status=201 if is_new else 200)


class SamePersonDetail(View):
    @extend_schema(responses=s.SamePersonSerializer)
    def get(self, request: Request, project_id: str, pair_id: str) -> Response:
        return Response(_pair_body(_pair(request, project_id, pair_id)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: str, pair_id: str) -> Response:
        sanctioning.take_back_same(pair=_pair(request, project_id, pair_id), by=request.user)
        return Response(status=204)


def _pair(request: Request, project_id: str, pair_id: str) -> SamePerson:
    project = project_for(request, project_id, Capability.PEOPLE)
    rows = SamePerson.objects.filter(project=project, lifted_at=None).select_related("one", "other", "by")
    return get_or_404(rows, pair_id)


def _pair_body(row: SamePerson) -> dict[str, Any]:
    return {
        "id": row.pk,
        "users": sorted([row.one.username, row.other.username]),
        "reason": row.reason,
        "by": row.by.username if row.by else None,
        "created_at": row.created_at,
    }
