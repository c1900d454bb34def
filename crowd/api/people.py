"""Workers as managers see them, and what a worker sees of themselves."""

from __future__ import annotations

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import enrolling
from annotation.access import Capability
from annotation.answering import get_or_404, paged_at_once, text
from annotation.api.rows import project_for
from annotation.api_base import View
from annotation.errors import Invalid, Missing
from annotation.models import Project, User
from crowd import accounting, coaching, paying, qualifying, reporting, sanctioning, serializers
from crowd.qualification_serializers import MeInSerializer


class Me(View):
    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        user = request.user
        roles = {user.role} | set(user.memberships.values_list("role", flat=True))
        body = {
            "name": user.username,
            "roles": sorted(roles),
            "counts": reporting.own_counts(user),
            "earned_micros": paying.earned_micros(user),
            "paid_micros": paying.paid_micros(user),
            "balances": accounting.balances(workers=[user.pk]).get(user.pk, []),
            "languages": user.languages,
            "qualification": coaching.states_of(user) or None,
            "feedback": coaching.feedback_for(user),
        }
        return Response(body)

    @extend_schema(request=MeInSerializer, responses=serializers.MeSerializer)
    def patch(self, request: Request) -> Response:
        if request.data.get("languages") is not None:
            enrolling.set_languages(user=request.user, languages=request.data["languages"])
        return self.get(request)


class WorkerList(View):
    @extend_schema(operation_id="workers_list", responses=serializers.WorkerSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        workers = reporting.workers_of(project)
        return paged_at_once(self, workers, lambda page: reporting.worker_figures(project=project, workers=page))


MOVES: dict[str, Callable[..., object]] = {
    "pause": sanctioning.pause,
    "ban": sanctioning.ban,
    "restore": sanctioning.restore,
    "qualify": qualifying.qualify,
    "retrain": qualifying.retrain,
}


class WorkerMove(View):
    """Pause, ban or restore a worker in a project, take them as qualified, or have them train once more."""

    move = ""

    @extend_schema(request=serializers.ReasonSerializer, responses=serializers.WorkerSerializer)
    def post(self, request: Request, project_id: str, user: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        worker = worker_in(project, user)
        MOVES[self.move](project=project, worker=worker, by=request.user, reason=text(request.data, "reason"))
        (figures,) = reporting.worker_figures(project=project, workers=[worker])
        return Response(figures)


def worker_in(project: Project, user: str, *, pointer: str | None = None) -> User:
    """Anybody who works, or may work, in the project, by name or id. Missing, or Invalid at the pointer."""
    people = User.objects.filter(role="worker") | User.objects.filter(memberships__project=project)
    try:
        named = None if "\0" in user else people.distinct().filter(username=user).first()
        return named or get_or_404(people.distinct(), user)
    except Missing:
        if pointer is None:
            raise
        raise Invalid.at(pointer, "is nobody who works here") from None
