"""The pages of clients, managers and reviewers. What is done there goes over the REST API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from annotation import access, defining
from annotation.access import Capability
from annotation.formats.registry import FORMATS
from annotation.importing import READABLE
from annotation.lifecycle import Role, VideoStatus
from annotation.models import Project, User, Video
from crowd import reporting
from crowd.lifecycle import BatchStatus, TaskStatus
from crowd.models import Batch, Gold
from crowd.presenting import batch_body, current_policy
from review import showing, watching
from review.lifecycle import ConsensusStatus, WorkStatus
from review.models import Consensus, Export, Join

#: Longer lists are for the API.
MOST = 200
UNDER_WAY = (BatchStatus.OPENING, BatchStatus.OPEN)


@login_required
def projects(request: HttpRequest) -> HttpResponse:
    rows = access.visible_projects(request.user).annotate(video_count=Count("videos", distinct=True))
    context = {"projects": rows.order_by("-created_at")[:MOST], "may_make": access.may(request.user, Capability.RUN)}
    return render(request, "projects/list.html", context)


@login_required
def new_project(request: HttpRequest) -> HttpResponse:
    if not access.may(request.user, Capability.RUN):
        raise Http404
    return render(request, "projects/new.html")


@login_required
def project(request: HttpRequest, project_id: str) -> HttpResponse:
    found = get_object_or_404(access.visible_projects(request.user), pk=project_id)
    return render(request, "projects/project.html", _whole(request.user, found))


def _whole(user: User, found: Project) -> dict[str, Any]:
    """All that a client sees of a project; `unfinished` says whether machines are at it, so the page looks again."""
    videos = Video.objects.filter(project=found).prefetch_related("batch_videos").order_by("-created_at")[:MOST]
    batches = [batch_body(b) for b in Batch.objects.filter(project=found).order_by("-created_at")[:MOST]]
    exports = Export.objects.filter(release__project=found).select_related("release", "video")
    exports = exports.order_by("-created_at", "-pk")[:MOST]
    unfinished = (
        any(v.status in (VideoStatus.UPLOADED, VideoStatus.INDEXING) for v in videos)
        or any(b["status"] in UNDER_WAY for b in batches)
        or any(e.status == WorkStatus.BUILDING for e in exports)
    )
    return {
        "project": found,
        "able": access.capabilities_in(user, found),
        "labels": defining.current_ontology(found).labels,
        "policy": current_policy(found),
        "videos": videos,
        "unlaunched": Video.objects.filter(project=found)
        .exclude(batch_videos__live=True)
        .exclude(status=VideoStatus.REJECTED)
        .count(),
        "batches": batches,
        "gold": Gold.objects.filter(project=found).select_related("video", "track_set"),
        "exports": exports,
        "formats": list(FORMATS),
        "readable": READABLE,
        "unfinished": unfinished,
    }


@login_required
def live(request: HttpRequest, project_id: str) -> HttpResponse:
    found = get_object_or_404(access.visible_projects(request.user), pk=project_id)
    able = access.capabilities_in(request.user, found)
    people = reporting.workers_of(found).order_by("-submitted", "username")[:MOST] if Capability.PEOPLE in able else []
    context = {
        "project": found,
        "able": able,
        "policy": current_policy(found),
        "progress": watching.progress(found),
        "workers": reporting.worker_figures(project=found, workers=list(people)),
        "stuck": found.tasks.filter(status=TaskStatus.QUARANTINED).select_related("segment__video")[:MOST],
    }
    return render(request, "projects/live.html", context)


def _decidable(user: User) -> QuerySet[Project]:
    """Projects in which the user may decide."""
    if user.role == Role.ADMIN:
        return Project.objects.all()
    deciding = [role for role, able in access.CAPABILITIES.items() if Capability.DECIDE in able]
    mine = Q(members__user=user, members__role__in=deciding)
    return Project.objects.filter(mine | Q(owner=user) if user.role in deciding else mine).distinct()


def _waiting(user: User) -> QuerySet[Consensus]:
    """What waits for a person, the most doubtful and the hardest first: many sure tracks hide a doubtful one."""
    rows = Consensus.objects.filter(task__project__in=_decidable(user), status=ConsensusStatus.PENDING, version__gt=0)
    rows = rows.filter(task__status=TaskStatus.IN_REVIEW).select_related("task__project", "video", "segment")
    return rows.order_by(F("confidence") * (1.0 - Coalesce("difficulty", 0.0)), "pk")


def _doubtful(user: User) -> QuerySet[Join]:
    return Join.objects.filter(video__project__in=_decidable(user), doubtful=True, same=None).order_by(
        "confidence", "pk"
    )


@login_required
def queue(request: HttpRequest) -> HttpResponse:
    waiting = _waiting(request.user)
    context = {"items": waiting[:MOST], "count": waiting.count(), "join_count": _doubtful(request.user).count()}
    return render(request, "review/queue.html", context)


@login_required
def item(request: HttpRequest, consensus_id: str) -> HttpResponse:
    rows = access.visible(Consensus.objects.filter(version__gt=0), request.user, through="task__project")
    rows = rows.select_related("task__project", "video", "segment", "batch__ontology")
    found = get_object_or_404(rows, pk=consensus_id)
    after = _waiting(request.user).exclude(pk=found.pk).first()
    may_decide = Capability.DECIDE in access.capabilities_in(request.user, found.task.project)
    # The labels that the segment was drawn with: an amendment is read with these, whatever the project has by now.
    labels = found.batch.ontology.labels
    context = {"item": found, "next": after, "may_decide": may_decide, "labels": labels}
    return render(request, "review/item.html", context)


@login_required
def joins(request: HttpRequest) -> HttpResponse:
    rows = _doubtful(request.user)
    shown = rows.select_related("video__project", "left_segment", "right_segment")[:20]
    pairs = [(row, showing.pictures(row)) for row in shown]
    return render(request, "review/joins.html", {"pairs": pairs, "count": rows.count()})
