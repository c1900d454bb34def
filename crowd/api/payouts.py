"""Payouts of a project: drafted, locked, sent and settled by its managers."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access
from annotation.access import Capability
from annotation.answering import choice, get_or_404, paged, paged_at_once, text
from annotation.api.rows import project_for, read
from annotation.api_base import View
from annotation.queue import want
from crowd import accounting, clearing, paying_out, serializers
from crowd import money_serializers as s
from crowd.errors import WrongState
from crowd.lifecycle import PayoutStatus
from crowd.models import Payout
from crowd.providers.registry import PROVIDERS


class PayoutList(View):
    @extend_schema(operation_id="payouts_list", responses=s.PayoutSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        rows = Payout.objects.filter(project=project).select_related("created_by")
        return paged_at_once(self, rows, accounting.payout_bodies, ordering="-created_at")

    @extend_schema(request=None, responses={201: s.PayoutDetailSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        made = paying_out.draft(project=project, by=request.user)
        made.refresh_from_db()
        return Response(accounting.payout_detail(made), status=201)


def _payout_for(request: Request, payout_id: str) -> Payout:
    rows = Payout.objects.select_related("project", "created_by")
    payout = get_or_404(access.visible(rows, request.user), payout_id)
    access.require(request.user, payout.project, Capability.PEOPLE)
    return payout


class PayoutDetail(View):
    @extend_schema(responses=s.PayoutDetailSerializer)
    def get(self, request: Request, payout_id: str) -> Response:
        return Response(accounting.payout_detail(_payout_for(request, payout_id)))


class PayoutLines(View):
    @extend_schema(
        operation_id="payout_lines_list",
        parameters=[OpenApiParameter("status", str, enum=PayoutStatus.values)],
        responses=s.PayoutLineSerializer(many=True),
    )
    def get(self, request: Request, payout_id: str) -> Response:
        lines = _payout_for(request, payout_id).lines.select_related("worker")
        if status := choice(request, "status", PayoutStatus.values):
            lines = lines.filter(status=status)
        return paged(self, lines, accounting.line_body)


class PayoutMove(View):
    """Lock a draft, which computes its lines; or send what is locked."""

    move = ""

    @extend_schema(request=None, responses=s.PayoutDetailSerializer)
    def post(self, request: Request, payout_id: str) -> Response:
        payout = _payout_for(request, payout_id)
        if self.move == "lock":
            paying_out.lock(payout=payout, by=request.user)
        else:
            paying_out.send(payout=payout, by=request.user)
            want("send_payout", payout.pk)
        payout.refresh_from_db()
        return Response(accounting.payout_detail(payout))


class CancelPayout(View):
    """End a payout that was not sent; what it held is free for the next."""

    @extend_schema(request=serializers.ReasonSerializer, responses=s.PayoutDetailSerializer)
    def post(self, request: Request, payout_id: str) -> Response:
        payout = _payout_for(request, payout_id)
        paying_out.cancel(payout=payout, by=request.user, reason=text(request.data, "reason"))
        payout.refresh_from_db()
        return Response(accounting.payout_detail(payout))


class PayoutFile(View):
    """The orders of a payout as a file for whoever pays. The same lines give the same file at any time.

    None of a payout that failed: all that it held is free for the next one, and would be paid twice.
    """

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, payout_id: str) -> HttpResponse:
        payout = _payout_for(request, payout_id)
        if not payout.lines.exists():
            raise WrongState("This payout has no lines: lock it first.")
        if payout.status == PayoutStatus.FAILED:
            raise WrongState("This payout failed or was cancelled; what it held is paid by the next one.")
        data = PROVIDERS[payout.provider].order_file(paying_out.orders(payout))
        name = f'attachment; filename="payout-{payout.pk}.csv"'
        return HttpResponse(data, content_type="text/csv", headers={"Content-Disposition": name})


class Statement(View):
    """A provider's statement: lines are settled as it says, all of it or, with a mistake in it, nothing."""

    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": s.StatementInSerializer}, responses=s.ClearedSerializer)
    def post(self, request: Request, payout_id: str) -> Response:
        payout = _payout_for(request, payout_id)
        given = read(s.StatementInSerializer, request)
        data, final = given["file"].read(clearing.MOST_BYTES + 1), given["final"]
        done = clearing.clear(payout=payout, data=data, by=request.user, final=final)
        payout.refresh_from_db()
        counts = {"paid": done.paid, "failed": done.failed, "unchanged": done.unchanged}
        return Response(counts | {"payout": accounting.payout_body(payout)})
