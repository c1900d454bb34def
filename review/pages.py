"""The pages of clients, managers and reviewers. What is done there goes over the REST API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from annotation import access, defining
from annotation.access import Capability
from annotation.formats.registry import FORMATS
from annotation.importing import READABLE
from annotation.lifecycle import Role, VideoStatus
from annotation.models import Invite, Member, Project, TrackSet, User, Video
from annotation.pages import one_page, project_of
from crowd import accounting, awaiting, reporting
from crowd.lifecycle import ENDED_SEATS, BatchStatus, TaskStatus
from crowd.models import Assignment, Batch, BatchVideo, Gold
from crowd.presenting import batch_bodies, current_policy, tell_intervals
from crowd.seating import held_micros
from review import showing, watching
from review.lifecycle import ConsensusStatus, WorkStatus
from review.models import Consensus, Export, Import, Join

#: Longer lists are for the API.
MOST = 200
#: Rows on a page of a list.
PROJECTS, BATCHES, VIDEOS, GOLD, EXPORTS, IMPORTS, WORKERS, SUBMISSIONS, ITEMS = 60, 10, 50, 20, 20, 10, 50, 20, 50
#: Videos to choose among in a form; others are looked for by name.
CHOICES = 100
UNDER_WAY = (BatchStatus.OPENING, BatchStatus.OPEN)


@login_required
def projects(request: HttpRequest) -> HttpResponse:
    rows = access.visible_projects(request.user).annotate(video_count=Count("videos", distinct=True))
    page = one_page(request, rows.order_by("-created_at", "pk"), size=PROJECTS)
    context = {"projects": page, "may_make": access.may(request.user, Capability.RUN)}
    return render(request, "projects/list.html", context)


@login_required
def new_project(request: HttpRequest) -> HttpResponse:
    if not access.may(request.user, Capability.RUN):
        raise Http404
    return render(request, "projects/new.html")


@login_required
def project(request: HttpRequest, project_id: str) -> HttpResponse:
    found = get_object_or_404(access.visible_projects(request.user), pk=project_id)
    return render(request, "projects/project.html", _whole(request, found))


def _whole(request: HttpRequest, found: Project) -> dict[str, Any]:
    """All that a client sees of a project; `unfinished` says whether machines are at it, so the page looks again."""
    videos = Video.objects.filter(project=found).order_by("-created_at", "pk")
    named = request.GET.get("video", "").replace("\0", "")
    shown = videos.filter(name__icontains=named)
    choices = list(shown.filter(status=VideoStatus.READY)[:CHOICES])
    batches = Batch.objects.filter(project=found).order_by("-created_at", "pk")
    imports = Import.objects.filter(project=found).select_related("video", "batch")
    exports = Export.objects.filter(release__project=found).select_related("release", "video")
    exports = exports.defer("release__decided", "release__content")  # as large as the project
    unfinished = (
        videos.filter(status__in=(VideoStatus.UPLOADED, VideoStatus.INDEXING)).exists()
        or batches.filter(status__in=UNDER_WAY).exists()
        or exports.filter(status=WorkStatus.BUILDING).exists()
    )
    batch_page = one_page(request, batches, size=BATCHES, name="batches")
    return {
        "project": found,
        "able": access.capabilities_in(request.user, found),
        "labels": defining.current_ontology(found).labels,
        "policy": current_policy(found),
        "video_page": one_page(request, shown, size=VIDEOS, name="videos"),
        "named": named,
        "video_count": videos.count(),
        "videos": choices,
        "are_more": bool(named) or len(choices) == CHOICES,
        "unlaunched": Video.objects.filter(project=found)
        .exclude(batch_videos__live=True)
        .exclude(status=VideoStatus.REJECTED)
        .count(),
        "batch_page": batch_page,
        "batches": _batches(list(batch_page)),
        "held_micros": held_micros(project=found),
        "gold": _gold(request, found),
        "exports": one_page(request, exports.order_by("-created_at", "-pk"), size=EXPORTS, name="exports"),
        "imports": one_page(request, imports.order_by("-created_at", "pk"), size=IMPORTS, name="imports"),
        "formats": list(FORMATS),
        "readable": READABLE,
        "unfinished": unfinished,
    }


def _gold(request: HttpRequest, found: Project) -> Page:
    # Looked up for the page alone: joined, they would be for all that is sorted.
    beside = ("video", Prefetch("track_set", TrackSet.objects.defer("payload")))
    rows = Gold.objects.filter(project=found).prefetch_related(*beside)
    page = one_page(request, rows.order_by("-created_at", "pk"), size=GOLD, name="gold")
    tell_intervals(page)
    return page


def _batches(batches: list[Batch]) -> list[dict[str, Any]]:
    names = _names(batches)
    return [body | {"names": names[body["id"]]} for body in batch_bodies(batches)]


def _names(batches: list[Batch]) -> dict[str, list[str]]:
    """What batches are known by among forty of one day: their videos."""
    names: dict[str, list[str]] = {batch.pk: [] for batch in batches}
    rows = BatchVideo.objects.filter(batch__in=batches).order_by("pk")
    for pk, name in rows.values_list("batch", "video__name"):
        names[pk].append(name)
    return names


@login_required
def live(request: HttpRequest, project_id: str) -> HttpResponse:
    found = get_object_or_404(access.visible_projects(request.user), pk=project_id)
    able = access.capabilities_in(request.user, found)
    context = (_people(request, found) if Capability.PEOPLE in able else {}) | {
        "project": found,
        "able": able,
        "policy": current_policy(found),
        "progress": watching.progress(found),
        "words": awaiting.below_the_floor(found).count() if Capability.PEOPLE in able else 0,
        "stuck": found.tasks.filter(status=TaskStatus.QUARANTINED).select_related("segment__video")[:MOST],
    }
    return render(request, "projects/live.html", context)


def _people(request: HttpRequest, found: Project) -> dict[str, Any]:
    """The workers that the query asks for, a page of them, and what it asked."""
    named, order = request.GET.get("who", ""), request.GET.get("order", "")
    order = order if order in reporting.ORDERS else reporting.ORDERS[0]
    rows = reporting.find_workers(project=found, named=named, order=order)
    page = one_page(request, rows, size=WORKERS, name="workers")
    figures = reporting.worker_figures(project=found, workers=list(page))
    members = Member.objects.filter(project=found).select_related("user").order_by("role", "user__username")
    return {
        "workers": figures,
        "worker_page": page,
        "who": named,
        "order": order,
        "orders": reporting.ORDERS,
        "members": one_page(request, members, size=WORKERS, name="members"),
        "invites": Invite.objects.filter(project=found, expires_at__gt=Now()).order_by("-created_at", "pk")[:MOST],
    }


@login_required
def submissions(request: HttpRequest, project_id: str) -> HttpResponse:
    """What was not accepted by the rule, and what came late: a manager has the word."""
    found = project_of(request, project_id, Capability.PEOPLE)
    late = one_page(request, awaiting.late(found), size=SUBMISSIONS, name="late")
    context = {"project": found, "late": late} | _below(request, found)
    _decided([*context["below"], *late])
    return render(request, "projects/submissions.html", context)


def _below(request: HttpRequest, found: Project) -> dict[str, Any]:
    """A page of what the rule did not accept: of one worker it holds as much as is decided at once."""
    waiting = awaiting.below_the_floor(found)
    batches = list(Batch.objects.filter(assignments__in=waiting.order_by().values("pk")).distinct().order_by("-pk"))
    of, batch = (request.GET.get(name, "").replace("\0", "") for name in ("of", "batch"))
    rows = waiting.filter(worker__username=of) if of else waiting
    rows = rows.filter(batch=batch) if batch else rows
    names = _names(batches)
    return {
        "below": one_page(request, rows, size=awaiting.MOST if of else SUBMISSIONS, name="below"),
        "workers": _first(awaiting.workers_below(found), of),
        "batches": [{"id": row.pk, "created_at": row.created_at, "names": names[row.pk]} for row in batches],
        "of": of,
        "batch": batch,
    }


def _first(workers: QuerySet[User], named: str) -> list[User]:
    """As many of them as one chooses among, and the one who is chosen."""
    found = list(workers[:MOST])
    chosen = named and all(worker.username != named for worker in found)
    return [*found, *workers.filter(username=named)] if chosen else found


@login_required
def ledger(request: HttpRequest, project_id: str) -> HttpResponse:
    """What was owed to a worker, or to all, for which work: a manager may take it back."""
    return render(request, "projects/ledger.html", _paid(request, project_of(request, project_id, Capability.PEOPLE)))


def _paid(request: HttpRequest, found: Project) -> dict[str, Any]:
    named = request.GET.get("of", "").replace("\0", "")
    rows = accounting.paid_for(found, worker=named).select_related("assignment__task__segment__video")
    page = one_page(request, rows, size=SUBMISSIONS)
    _decided([entry.assignment for entry in page if entry.assignment])
    workers = accounting.owed_to(found).order_by("username")
    chosen = list(workers.filter(username=named).values_list("pk", flat=True))
    return {
        "project": found,
        "page": page,
        "entries": [accounting.entry_body(entry) | {"row": entry} for entry in page],
        "of": named,
        "workers": workers[:MOST],
        "alike": [] if chosen or not named else workers.filter(username__icontains=named)[:MOST],
        "balances": sum(accounting.balances(workers=chosen, project=found).values(), []),
    }


def _decided(seats: list[Assignment]) -> None:
    """Tell each seat the id of its task's consensus."""
    tasks = [seat.task_id for seat in seats]
    made = dict(Consensus.objects.filter(task__in=tasks, version__gt=0).values_list("task_id", "pk"))
    for seat in seats:
        seat.consensus = made.get(seat.task_id)


def _decidable(user: User) -> QuerySet[Project]:
    """Projects in which the user may decide."""
    if user.role == Role.ADMIN:
        return Project.objects.all()
    deciding = [role for role, able in access.CAPABILITIES.items() if Capability.DECIDE in able]
    mine = Q(members__user=user, members__role__in=deciding)
    return Project.objects.filter(mine | Q(owner=user) if user.role in deciding else mine).distinct()


def _waiting(user: User) -> QuerySet[Consensus]:
    """What waits for a person, the most doubtful and the hardest first: many sure tracks hide a doubtful one.

    What somebody worked at waits for others.
    """
    own = Assignment.objects.filter(task=OuterRef("task"), worker=user).exclude(status__in=ENDED_SEATS)
    rows = Consensus.objects.filter(task__project__in=_decidable(user), status=ConsensusStatus.PENDING, version__gt=0)
    rows = rows.filter(~Exists(own), task__status=TaskStatus.IN_REVIEW).select_related(
        "task__project", "video", "segment"
    )
    return rows.order_by(F("confidence") * (1.0 - Coalesce("difficulty", 0.0)), "pk")


def _doubtful(user: User) -> QuerySet[Join]:
    return Join.objects.filter(video__project__in=_decidable(user), doubtful=True, same=None).order_by(
        "confidence", "pk"
    )


@login_required
def queue(request: HttpRequest) -> HttpResponse:
    named = request.GET.get("of", "").replace("\0", "")
    waiting = _waiting(request.user)
    if named:
        waiting = waiting.filter(Q(task__project__name__icontains=named) | Q(video__name__icontains=named))
    page = one_page(request, waiting, size=ITEMS)
    context = {"page": page, "named": named, "join_count": _doubtful(request.user).count()}
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
    pairs = list(zip(shown, showing.pictures_of(shown), strict=True))
    return render(request, "review/joins.html", {"pairs": pairs, "count": rows.count()})
