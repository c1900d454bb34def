"""The worker's pages, and those about money. What people do there goes over the REST API."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from annotation import access, defining
from annotation.access import Capability
from annotation.models import Project
from annotation.pages import one_page, project_of
from crowd import accounting, claiming, coaching, disputing, reporting
from crowd.core.policies import CLIP_QUALITIES
from crowd.lifecycle import DisputeStatus, PayoutStatus, Seat
from crowd.models import Assignment, Dispute, Gold, Payout
from crowd.presenting import current_policy

LATEST = 20
LATE = timedelta(days=7)
#: Rows on a page of a list.
ENTRIES, PAYOUTS, WORKERS = 50, 20, 100


@login_required
def work(request: HttpRequest) -> HttpResponse:
    """What can be worked on, what is held, and what came of it."""
    mine = Assignment.objects.filter(worker=request.user).select_related("project", "batch")
    context = {
        "held": mine.filter(status=Seat.HELD, lease_until__gt=Now()).order_by("lease_until"),
        "late": _late(mine),
        "latest": mine.filter(submitted_at__isnull=False).order_by("-submitted_at")[:LATEST],
        "projects": claiming.with_work(claiming.workable(request.user)).order_by("name"),
        "training": coaching.states_of(request.user),
        "counts": reporting.own_counts(request.user),
        "balances": accounting.balances(workers=[request.user.pk]).get(request.user.pk, []),
    }
    return render(request, "work/home.html", context)


def _late(mine: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """What was drawn and not submitted in time, not long ago: it can be submitted late."""
    over = mine.filter(status__in=(Seat.EXPIRED, Seat.REVOKED), ended_at__gt=Now() - LATE)
    drawn = over.filter(Q(draft__isnull=False) | Q(late_body__isnull=False))
    return drawn.select_related("late_body").defer("late_body__body").order_by("-ended_at")[:LATEST]


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


@login_required
def earnings(request: HttpRequest) -> HttpResponse:
    """Every entry of one's own ledger, what it sums to, and what may be disputed."""
    rows = accounting.earnings(request.user).order_by("-created_at", "pk")
    page = one_page(request, rows, size=ENTRIES)
    disputes = Dispute.objects.filter(worker=request.user).select_related("project").order_by("-created_at", "pk")
    context = {
        "balances": accounting.balances(workers=[request.user.pk]).get(request.user.pk, []),
        "page": page,
        "entries": [accounting.earning_body(entry) for entry in page],
        "disputable": one_page(request, disputing.disputable(request.user), size=LATEST, name="unpaid"),
        "disputes": one_page(request, disputes, size=LATEST, name="disputes"),
    }
    return render(request, "work/earnings.html", context)


@login_required
def policy(request: HttpRequest, project_id: str) -> HttpResponse:
    """The project's own policy, with which its next launch begins."""
    project = project_of(request, project_id, Capability.RUN)
    context = {"project": project, "policy": current_policy(project), "qualities": CLIP_QUALITIES}
    return render(request, "projects/policy.html", context)


@login_required
def gold(request: HttpRequest, project_id: str, gold_id: str) -> HttpResponse:
    """What gold holds, over its frames, for whoever may read the project."""
    rows = access.visible(Gold.objects.filter(project=project_id), request.user).select_related("project", "video")
    found = get_object_or_404(rows, pk=gold_id)
    labels = defining.current_ontology(found.project).labels
    return render(request, "projects/gold_item.html", {"gold": found, "labels": labels})


@login_required
def payouts(request: HttpRequest, project_id: str) -> HttpResponse:
    return render(
        request, "projects/payouts.html", _money_of(request, project_of(request, project_id, Capability.PEOPLE))
    )


def _money_of(request: HttpRequest, project: Project) -> dict[str, object]:
    rows = Payout.objects.filter(project=project).select_related("created_by").order_by("-created_at", "pk")
    workers = one_page(request, accounting.owed_to(project).order_by("username"), size=WORKERS, name="workers")
    sums = accounting.balances(workers=[worker.pk for worker in workers], project=project)
    disputes = Dispute.objects.filter(project=project, status=DisputeStatus.OPEN).select_related("worker", "assignment")
    payouts = one_page(request, rows, size=PAYOUTS, name="payouts")
    return {
        "project": project,
        "payout_page": payouts,
        "payouts": accounting.payout_bodies(list(payouts)),
        "worker_page": workers,
        "workers": [{"user": worker.username, "balances": sums.get(worker.pk, [])} for worker in workers],
        "disputes": one_page(request, disputes.order_by("created_at", "pk"), size=LATEST, name="disputes"),
        "currency": current_policy(project).currency,
        "unfinished": any(payout.status == PayoutStatus.SENDING for payout in payouts),
    }
