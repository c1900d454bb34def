"""Projects, what is known beforehand of their videos, and their launch."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access, defining
from annotation.access import Capability
from annotation.answering import get_or_404, paged, paged_at_once
from annotation.api.rows import project_for
from annotation.api.uploads import TakesFiles, video_in
from annotation.api_base import View
from annotation.core.parsing import parse_tracks
from annotation.core.problems import Invalid, Problem
from annotation.core.tracks import Tracks
from annotation.errors import Conflict
from annotation.lifecycle import VideoStatus
from annotation.models import Project, Video
from crowd import budgeting, prelabelling, presenting, publishing, serializers, training
from crowd.core.policies import parse_policy
from crowd.models import Batch, PreLabels
from crowd.models import Policy as PolicyRow


class ProjectList(View):
    @extend_schema(operation_id="projects_list", responses=serializers.ProjectSerializer(many=True))
    def get(self, request: Request) -> Response:
        return paged_at_once(self, access.visible_projects(request.user), presenting.project_bodies)

    @extend_schema(request=serializers.ProjectInSerializer, responses={201: serializers.ProjectSerializer})
    def post(self, request: Request) -> Response:
        policy = parse_policy(request.data.get("policy"))
        training.check_gold(policy=policy, project=None)
        project = defining.create_project(
            owner=request.user,
            name=request.data.get("name"),
            instructions="" if request.data.get("instructions") is None else request.data["instructions"],
            labels=request.data.get("labels"),
        )
        PolicyRow.objects.create(project=project, version=1, values=policy.to_json())
        project.refresh_from_db()
        return Response(presenting.project_body(project), status=201)


class ProjectDetail(View):
    @extend_schema(responses=serializers.ProjectSerializer)
    def get(self, request: Request, project_id: str) -> Response:
        return Response(presenting.project_body(project_for(request, project_id)))

    @extend_schema(request=serializers.ProjectChangeSerializer, responses=serializers.ProjectSerializer)
    def patch(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        with transaction.atomic():
            defining.describe(
                project=project, name=request.data.get("name"), instructions=request.data.get("instructions")
            )
            if request.data.get("labels") is not None:
                defining.change_ontology(project=project, labels=request.data["labels"])
            if "policy" in request.data:
                _change_policy(project, request.data["policy"])
        return Response(presenting.project_body(project))


def _change_policy(project: Project, data: object) -> None:
    row = PolicyRow.objects.filter(project=project).order_by("-version").first()
    policy = parse_policy(data, base=presenting.current_policy(project))
    training.check_gold(policy=policy, project=project)
    if row and row.values == policy.to_json():
        return
    try:
        with transaction.atomic():
            PolicyRow.objects.create(project=project, version=row.version + 1 if row else 1, values=policy.to_json())
    except IntegrityError:
        raise Conflict("Somebody else changed the policy at the same moment. Read it again.") from None


def tracks_in(project: Project, video: Video, data: Any, start: int, stop: int) -> Tracks:
    """The tracks of a body, checked against the project's labels and the video's size."""
    ontology = defining.read_ontology(defining.current_ontology(project))
    return parse_tracks(data, ontology=ontology, start=start, stop=stop, width=video.width, height=video.height)


def range_in(video: Video, data: Any) -> tuple[int, int]:
    """The frames that a body names, all of the video's where it names none."""
    start, stop = (_number(data.get(n, default)) for n, default in (("start", 0), ("stop", video.frame_count)))
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in (start, stop))
    if not whole or not 0 <= start < stop <= (video.frame_count or 0):
        raise Invalid([Problem("/start", f"start and stop must be frames with 0 ≤ start < stop ≤ {video.frame_count}")])
    return start, stop


def _number(value: Any) -> Any:
    """In a form numbers are text."""
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
    return int(value) if digits else value


class PreLabelsList(TakesFiles):
    @extend_schema(operation_id="pre_labels_list", responses=serializers.PreLabelsSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        rows = PreLabels.objects.filter(project=project_for(request, project_id)).select_related("track_set")
        rows = rows.defer("track_set__payload")
        return paged(self, rows, lambda row: serializers.PreLabelsSerializer(row).data)

    @extend_schema(
        request={
            "application/json": serializers.PreLabelsInSerializer,
            "multipart/form-data": serializers.TracksFileSerializer,
        },
        responses={201: serializers.PreLabelsSerializer},
    )
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        video = video_in(project, request.data)
        if self.upload is not None:
            tracks = self.upload.tracks
        else:
            tracks = tracks_in(project, video, request.data, 0, video.frame_count or 0)
        row = prelabelling.post_pre_labels(project=project, video=video, tracks=tracks, by=request.user)
        row.refresh_from_db()
        return Response(serializers.PreLabelsSerializer(row).data, status=201)


class PreLabelsDetail(View):
    @extend_schema(responses=serializers.PreLabelsSerializer)
    def get(self, request: Request, pre_labels_id: str) -> Response:
        rows = access.visible(PreLabels.objects.select_related("track_set"), request.user)
        return Response(serializers.PreLabelsSerializer(get_or_404(rows, pre_labels_id)).data)


class Launch(View):
    @extend_schema(request=serializers.LaunchSerializer, responses={201: serializers.BatchSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        policy = parse_policy(request.data.get("policy"), base=presenting.current_policy(project))
        training.check_gold(policy=policy, project=project)
        videos = _videos_in(project, request.data.get("videos"))
        batch = publishing.open_batch(project=project, videos=videos, policy=policy, by=request.user)
        batch.refresh_from_db()
        return Response(presenting.batch_body(batch), status=201)


def _videos_in(project: Project, ids: object) -> list[Video] | None:
    if ids is None:
        return None
    if not isinstance(ids, list) or not ids or not all(isinstance(i, str) for i in ids):
        raise Invalid([Problem("/videos", "must be a list of ids of videos of this project")])
    found = Video.objects.filter(project=project).in_bulk(list(set(ids)))
    errors = []
    for i, video_id in enumerate(ids):
        if video_id not in found:
            errors.append(Problem(f"/videos/{i}", "there is no such video in this project"))
        elif found[video_id].status == VideoStatus.REJECTED:
            errors.append(Problem(f"/videos/{i}", f"this video was rejected: {found[video_id].reason}"))
    if errors:
        raise Invalid(errors)
    return [found[video_id] for video_id in dict.fromkeys(ids)]


class BatchList(View):
    @extend_schema(operation_id="batches_list", responses=serializers.BatchSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        rows = Batch.objects.filter(project=project_for(request, project_id))
        return paged_at_once(self, rows, presenting.batch_bodies)


def batch_for(request: Request, batch_id: str, *capabilities: Capability) -> Batch:
    batches: QuerySet[Batch] = access.visible(Batch.objects.select_related("project"), request.user)
    batch = get_or_404(batches, batch_id)
    access.require(request.user, batch.project, *capabilities)
    return batch


class BatchDetail(View):
    @extend_schema(responses=serializers.BatchSerializer)
    def get(self, request: Request, batch_id: str) -> Response:
        return Response(presenting.batch_body(batch_for(request, batch_id)))


class BatchBudget(View):
    @extend_schema(request=serializers.BudgetSerializer, responses=serializers.BatchSerializer)
    def post(self, request: Request, batch_id: str) -> Response:
        batch = batch_for(request, batch_id, Capability.RUN)
        if "budget_micros" not in request.data:
            raise Invalid([Problem("/budget_micros", "is missing; null is without bound")])
        budget = parse_policy({"budget_micros": request.data["budget_micros"]}, at="").budget_micros
        with transaction.atomic():
            budgeting.change(batch=batch, budget_micros=budget, by=request.user)
        batch.refresh_from_db()
        return Response(presenting.batch_body(batch))


class BatchMove(View):
    """Pause, resume or cancel a batch."""

    move = ""

    @extend_schema(request=None, responses=serializers.BatchSerializer)
    def post(self, request: Request, batch_id: str) -> Response:
        batch = batch_for(request, batch_id, Capability.RUN)
        if self.move == "cancel":
            publishing.cancel(batch=batch, by=request.user)
        else:
            {"pause": publishing.pause, "resume": publishing.resume}[self.move](batch=batch)
        batch.refresh_from_db()
        return Response(presenting.batch_body(batch))
