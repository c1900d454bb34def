"""The worker's pages. What they do there goes over the REST API."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from crowd import claiming, coaching, paying, reporting
from crowd.lifecycle import Seat
from crowd.models import Assignment

LATEST = 20


@login_required
def work(request: HttpRequest) -> HttpResponse:
    """What can be worked on, what is held, and what came of it."""
    mine = Assignment.objects.filter(worker=request.user).select_related("project", "batch")
    # Not how many: a claim after which the number of real seats stays as it was would have been gold.
    free = Assignment.objects.filter(project=OuterRef("pk"), status=Seat.OPEN, extra=False)
    context = {
        "held": mine.filter(status=Seat.HELD, lease_until__gt=Now()).order_by("lease_until"),
        "latest": mine.filter(submitted_at__isnull=False).order_by("-submitted_at")[:LATEST],
        "projects": claiming.workable(request.user).annotate(has_work=Exists(free)).order_by("name"),
        "training": coaching.states_of(request.user),
        "counts": reporting.own_counts(request.user),
        "earned_micros": paying.earned_micros(request.user),
        "paid_micros": paying.paid_micros(request.user),
    }
    return render(request, "work/home.html", context)


@login_required
def training(request: HttpRequest, project_id: str) -> HttpResponse:
    """What a project asks of somebody who qualifies, how far they are, and what they drew beside gold."""
    project = claiming.workable(request.user).filter(pk=project_id).first()
    state = project and coaching.state_in(worker=request.user, project=project)
    if project is None or state is None:
        raise Http404
    pieces = coaching.feedback_for(request.user, project=project)
    feedback = [coaching.drawable(piece) for piece in pieces]
    context = {"project": project, "state": state, "marks": coaching.marks_of(state), "feedback": feedback}
    return render(request, "work/training.html", context)


@login_required
def task(request: HttpRequest, assignment_id: str) -> HttpResponse:
    if not Assignment.objects.filter(pk=assignment_id, worker=request.user).exists():
        raise Http404
    return render(request, "work/task.html", {"assignment_id": assignment_id})
