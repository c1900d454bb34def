"""Files that clients bring, as gold, pre-labels or finished tracks."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access
from annotation.access import Capability
from annotation.answering import get_or_404, paged, text
from annotation.api.rows import project_for
from annotation.api.uploads import TakesFiles
from annotation.api_base import View
from annotation.core.problems import Invalid, Problem
from crowd.api.projects import range_in
from review import importing, presenting, serializers
from review.lifecycle import ImportedAs
from review.models import Import


class ImportList(TakesFiles):
    @extend_schema(operation_id="imports_list", responses=serializers.ImportSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        rows = Import.objects.filter(project=project_for(request, project_id))
        return paged(self, rows, presenting.import_body, ordering="created_at")

    @extend_schema(
        request={"multipart/form-data": serializers.ImportInSerializer}, responses={201: serializers.ImportSerializer}
    )
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        if self.upload is None:
            raise Invalid([Problem("/file", "is required; send a form (multipart/form-data)")])
        kind = text(request.data, "as")
        if kind not in ImportedAs.values:
            raise Invalid([Problem("/as", f"must be one of {', '.join(ImportedAs.values)}")])
        start, stop = range_in(self.upload.video, request.data)
        made = importing.import_file(
            project=project, upload=self.upload, kind=kind, start=start, stop=stop, by=request.user
        )
        made.refresh_from_db()
        return Response(presenting.import_body(made), status=201)


class ImportDetail(View):
    @extend_schema(responses=serializers.ImportSerializer)
    def get(self, request: Request, import_id: str) -> Response:
        return Response(
            presenting.import_body(get_or_404(access.visible(Import.objects.all(), request.user), import_id))
        )


class ImportUndo(View):
    @extend_schema(request=None, responses=serializers.ImportSerializer)
    def post(self, request: Request, import_id: str) -> Response:
        row = get_or_404(access.visible(Import.objects.select_related("batch"), request.user), import_id)
        access.require(request.user, row.project, Capability.RUN)
        importing.undo(row=row)
        return Response(presenting.import_body(row))
