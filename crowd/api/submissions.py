"""Submissions as managers see them, and their word on them: on one, on several, or on all of a worker's that wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access
from annotation.access import Capability
from annotation.answering import choice, get_or_404, paged, text
from annotation.api.rows import project_for, read
from annotation.api_base import View
from annotation.errors import Invalid, Missing
from annotation.models import Project, User
from crowd import awaiting, paying, presenting, serializers, submitting
from crowd import submission_serializers as s
from crowd.api.assignments import WHOLE, read_work
from crowd.api.people import worker_in
from crowd.errors import WrongState
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch

# What a list shows of a submission, which is nothing of what was drawn: that may be 28 MB each.
LISTED = ("task__segment__video", "worker", "score", "peer_score", "late_body")


class SubmissionList(View):
    """A project's assignments by state: what waits for a manager's word is `submitted`, or `expired` and late."""

    @extend_schema(
        operation_id="submissions_list",
        parameters=[OpenApiParameter("status", str, enum=Seat.values)],
        responses=serializers.SubmissionSerializer(many=True),
    )
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        seats = Assignment.objects.filter(project=project, worker__isnull=False).select_related(*LISTED)
        seats = seats.defer("late_body__body")
        if status := choice(request, "status", Seat.values):
            seats = seats.filter(status=status)
        return paged(self, seats, presenting.submission_body)


class SubmissionMove(View):
    """A manager accepts, rejects or salvages a submission."""

    move = ""

    @extend_schema(request=serializers.ReasonSerializer, responses=serializers.SeatStatusSerializer)
    def post(self, request: Request, assignment_id: str) -> Response:
        seats = access.visible(Assignment.objects.select_related(*WHOLE, "worker", "late_body"), request.user)
        seat = get_or_404(seats, assignment_id)
        access.require(request.user, seat.project, Capability.PEOPLE)
        getattr(self, f"_{self.move}")(seat, request.user, text(request.data, "reason"))
        return Response({"id": seat.pk, "status": seat.status})

    def _accept(self, seat: Assignment, by: User, reason: str) -> None:
        if not paying.accept(seat=seat, by=by, reason=reason):
            raise WrongState(f"This assignment is {seat.status}; only a submission can be accepted.")

    def _reject(self, seat: Assignment, by: User, reason: str) -> None:
        paying.reject(seat=seat, by=by, reason=reason)

    def _salvage(self, seat: Assignment, by: User, reason: str) -> None:
        late = getattr(seat, "late_body", None)
        if late is None:
            raise WrongState("There is no late submission to salvage here.")
        submitting.salvage(seat=seat, tracks=read_work(seat, json.loads(late.body)), by=by, reason=reason)


VERBS: dict[str, Callable[..., bool | None]] = {"accept": paying.accept, "reject": paying.reject}


class DecideMany(View):
    """A manager accepts or rejects several submissions with one reason; each is decided by itself, or was before."""

    move = ""
    whole = False

    @extend_schema(request=s.DecideManySerializer, responses=s.DecidedManySerializer)
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        given, reason = read(s.DecideManySerializer, request), text(request.data, "reason")
        return Response({"results": self.decided(project, given["ids"], request.user, reason)})

    def decided(self, project: Project, ids: Iterable[str], by: User, reason: str) -> list[dict[str, Any]]:
        verb = VERBS[self.move]
        each = awaiting.decide_each(project=project, ids=ids, verb=verb, by=by, reason=reason)
        return [asdict(one) for one in each]


class DecideAllOf(DecideMany):
    """The same for what waits of one worker, the oldest first; `left` tells how many more wait after this."""

    @extend_schema(request=s.DecideAllSerializer, responses=s.DecidedAllSerializer)
    def post(self, request: Request, project_id: str, user: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        worker, reason = worker_in(project, user), text(request.data, "reason")
        waiting = awaiting.below_the_floor(project).filter(worker=worker)
        if batch := request.data.get("batch"):
            waiting = waiting.filter(batch=_batch_in(project, batch))
        ids = list(waiting.values_list("pk", flat=True)[: awaiting.MOST])
        results = self.decided(project, ids, request.user, reason)
        return Response({"results": results, "left": waiting.count()})


def _batch_in(project: Project, batch: Any) -> Batch:
    try:
        return get_or_404(Batch.objects.filter(project=project), str(batch))
    except Missing:
        raise Invalid.at("/batch", "is no batch of this project") from None
