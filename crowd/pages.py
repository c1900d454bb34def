"""The worker's pages, and those about money. What people do there goes over the REST API."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from annotation import access
from annotation.access import Capability
from annotation.models import Project
from crowd import accounting, claiming, coaching, disputing, reporting
from crowd.lifecycle import DisputeStatus, PayoutStatus, Seat
from crowd.models import Assignment, Dispute, Payout
from crowd.presenting import current_policy

LATEST = 20
#: Entries on a page of earnings, payouts on a project's page; longer lists are for the API.
ENTRIES, PAYOUTS, WORKERS = 50, 20, 200


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
        "balances": accounting.balances(workers=[request.user.pk]).get(request.user.pk, []),
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


@login_required
def earnings(request: HttpRequest) -> HttpResponse:
    """Every entry of one's own ledger, what it sums to, and what may be disputed."""
    rows = accounting.earnings(request.user).order_by("-created_at", "pk")
    page = Paginator(rows, ENTRIES).get_page(request.GET.get("page"))
    context = {
        "balances": accounting.balances(workers=[request.user.pk]).get(request.user.pk, []),
        "page": page,
        "entries": [accounting.earning_body(entry) for entry in page],
        "disputable": disputing.disputable(request.user)[:LATEST],
        "disputes": Dispute.objects.filter(worker=request.user).select_related("project").order_by("-created_at"),
    }
    return render(request, "work/earnings.html", context)


@login_required
def payouts(request: HttpRequest, project_id: str) -> HttpResponse:
    project = get_object_or_404(access.visible_projects(request.user), pk=project_id)
    if Capability.PEOPLE not in access.capabilities_in(request.user, project):
        raise Http404
    return render(request, "projects/payouts.html", _money_of(project))


def _money_of(project: Project) -> dict[str, object]:
    rows = Payout.objects.filter(project=project).select_related("created_by").order_by("-created_at")[:PAYOUTS]
    workers = list(accounting.owed_to(project).order_by("username")[:WORKERS])
    sums = accounting.balances(workers=[worker.pk for worker in workers], project=project)
    disputes = Dispute.objects.filter(project=project, status=DisputeStatus.OPEN).select_related("worker", "assignment")
    return {
        "project": project,
        "payouts": [accounting.payout_body(payout) for payout in rows],
        "workers": [{"user": worker.username, "balances": sums.get(worker.pk, [])} for worker in workers],
        "disputes": disputes.order_by("created_at")[:LATEST],
        "currency": current_policy(project).currency,
        "unfinished": any(payout.status == PayoutStatus.SENDING for payout in rows),
    }
