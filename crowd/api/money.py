"""What workers are owed and paid: their own earnings, and a project's ledger, bonuses and balances."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access
from annotation.access import Capability
from annotation.answering import choice, get_or_404, paged, paged_at_once, text
from annotation.api.rows import project_for, read
from annotation.api_base import View
from annotation.errors import Invalid
from annotation.models import Project, User
from crowd import accounting, disputing, paying, presenting, serializers
from crowd import money_serializers as s
from crowd.lifecycle import DisputeStatus, EntryKind
from crowd.models import Assignment, Dispute, LedgerEntry


class Earnings(View):
    """One's own ledger over all projects, newest first."""

    @extend_schema(operation_id="earnings_list", responses=s.EarningSerializer(many=True))
    def get(self, request: Request) -> Response:
        return paged(self, accounting.earnings(request.user), accounting.earning_body, ordering="-created_at")


class Balances(View):
    """What everybody who worked in a project has earned and was paid, per currency."""

    @extend_schema(operation_id="balances_list", responses=s.WorkerBalancesSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)

        def bodies(workers: list[User]) -> list[dict]:
            found = accounting.balances(workers=[worker.pk for worker in workers], project=project)
            return [{"user": worker.username, "balances": found.get(worker.pk, [])} for worker in workers]

        return paged_at_once(self, accounting.owed_to(project), bodies)


class Ledger(View):
    """A project's ledger, newest first."""

    @extend_schema(
        operation_id="ledger_list",
        parameters=[OpenApiParameter("user", str), OpenApiParameter("kind", str, enum=EntryKind.values)],
        responses=s.EntrySerializer(many=True),
    )
    def get(self, request: Request, project_id: str) -> Response:
        rows = accounting.ledger(project_for(request, project_id, Capability.PEOPLE))
        if kind := choice(request, "kind", EntryKind.values):
            rows = rows.filter(kind=kind)
        if user := request.query_params.get("user"):
            rows = rows.filter(worker__username=user.replace("\0", ""))
        return paged(self, rows, accounting.entry_body, ordering="-created_at")


def _entry_for(request: Request, entry_id: str) -> LedgerEntry:
    entry = get_or_404(access.visible(LedgerEntry.objects.select_related("project"), request.user), entry_id)
    access.require(request.user, entry.project, Capability.PEOPLE)
    return entry


def _entry_body(entry: LedgerEntry) -> dict:
    return accounting.entry_body(accounting.ledger(entry.project).get(pk=entry.pk))


class LedgerDetail(View):
    @extend_schema(responses=s.EntrySerializer)
    def get(self, request: Request, entry_id: str) -> Response:
        return Response(_entry_body(_entry_for(request, entry_id)))


class TakeBack(View):
    """Reverse a bonus by an entry of its own. Pay for work is taken back by rejecting the work."""

    @extend_schema(request=serializers.ReasonSerializer, responses={201: s.EntrySerializer})
    def post(self, request: Request, entry_id: str) -> Response:
        entry = _entry_for(request, entry_id)
        made = paying.take_back(entry=entry, by=request.user, reason=text(request.data, "reason"))
        return Response(_entry_body(made), status=201)


class Bonuses(View):
    @extend_schema(operation_id="bonuses_list", responses=s.EntrySerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        rows = accounting.ledger(project_for(request, project_id, Capability.PEOPLE)).filter(kind=EntryKind.BONUS)
        return paged(self, rows, accounting.entry_body, ordering="-created_at")

    @extend_schema(request=s.BonusInSerializer, responses={201: s.EntrySerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        given = read(s.BonusInSerializer, request)
        worker = _worker(project, given.pop("user"))
        given.setdefault("currency", presenting.current_policy(project).currency)
        made = paying.give_bonus(project=project, worker=worker, by=request.user, **given)
        return Response(_entry_body(made), status=201)


def _worker(project: Project, name: str) -> User:
    """Somebody who worked in the project, by name or id."""
    people = User.objects.filter(assignments__project=project, erased_at=None).distinct()
    found = people.filter(username=name).first() or people.filter(pk=name).first()
    if found is None:
        raise Invalid.at("/user", "nobody of this name has worked in this project")
    return found


class DisputeWork(View):
    """A worker disputes a rejection, or a submission that nobody has decided for a day."""

    @extend_schema(request=serializers.ReasonSerializer, responses={201: s.DisputeSerializer})
    def post(self, request: Request, assignment_id: str) -> Response:
        seats = Assignment.objects.filter(worker=request.user).select_related("project")
        seat = get_or_404(seats, assignment_id)
        made = disputing.dispute(seat=seat, worker=request.user, reason=text(request.data, "reason"))
        return Response(accounting.dispute_body(made, names=False), status=201)


class OwnDisputes(View):
    @extend_schema(operation_id="own_disputes_list", responses=s.DisputeSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = Dispute.objects.filter(worker=request.user).select_related("project")
        return paged(self, rows, lambda row: accounting.dispute_body(row, names=False), ordering="-created_at")


PEOPLE = ("project", "worker", "answered_by", "assignment")


class DisputeList(View):
    @extend_schema(
        operation_id="disputes_list",
        parameters=[OpenApiParameter("status", str, enum=DisputeStatus.values)],
        responses=s.ManagedDisputeSerializer(many=True),
    )
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        rows = Dispute.objects.filter(project=project).select_related(*PEOPLE)
        if status := choice(request, "status", DisputeStatus.values):
            rows = rows.filter(status=status)
        return paged(self, rows, lambda row: accounting.dispute_body(row, names=True), ordering="created_at")


def _dispute_for(request: Request, dispute_id: str) -> Dispute:
    found = get_or_404(access.visible(Dispute.objects.select_related(*PEOPLE), request.user), dispute_id)
    access.require(request.user, found.project, Capability.PEOPLE)
    return found


class DisputeDetail(View):
    @extend_schema(responses=s.ManagedDisputeSerializer)
    def get(self, request: Request, dispute_id: str) -> Response:
        return Response(accounting.dispute_body(_dispute_for(request, dispute_id), names=True))


class DisputeAnswer(View):
    """Uphold a dispute, which accepts and pays the work, or decline it; each for a reason that the worker reads."""

    move = ""

    @extend_schema(request=serializers.ReasonSerializer, responses=s.ManagedDisputeSerializer)
    def post(self, request: Request, dispute_id: str) -> Response:
        found = _dispute_for(request, dispute_id)
        verb = {"uphold": disputing.uphold, "decline": disputing.decline}[self.move]
        verb(dispute=found, by=request.user, answer=text(request.data, "reason"))
        return Response(accounting.dispute_body(_dispute_for(request, dispute_id), names=True))
