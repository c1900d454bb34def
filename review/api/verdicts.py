"""Consensus items and doubtful joins: read and decided."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access
from annotation.access import Capability
from annotation.answering import choice, get_or_404, paged, text
from annotation.api.rows import project_for
from annotation.api_base import View
from annotation.core.parsing import parse_tracks
from annotation.core.problems import Invalid, Problem
from annotation.errors import Missing
from crowd.api.assignments import ontology_of
from crowd.api.gold import gold_body
from crowd.lifecycle import TaskStatus
from crowd.pseudonyms import Reader
from crowd.serializers import GoldSerializer
from review import deciding, gilding, presenting, serializers, stitching
from review.lifecycle import ConsensusStatus
from review.models import Consensus, Join

WHOLE = ("task__project", "batch", "video", "segment__clip", "decided_by", "track_set")
# What a join's ends are read from, each once however many joins meet there.
ENDS = ("left_segment__consensus__track_set", "right_segment__consensus__track_set")
# Of those that are equally sure the hardest comes first.
ORDERS = {"doubt": "confidence,-hardness", "difficulty": "-hardness,confidence"}


class ConsensusList(View):
    """Most doubtful first, or the hardest. A pending one is listed while it waits for a person."""

    @extend_schema(
        operation_id="consensus_list",
        parameters=[
            OpenApiParameter("status", str, enum=ConsensusStatus.values),
            OpenApiParameter("order", str, enum=list(ORDERS), default="doubt"),
        ],
        responses=serializers.ConsensusSerializer(many=True),
    )
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id)
        rows = Consensus.objects.filter(task__project=project, version__gt=0)
        rows = rows.select_related("segment", "decided_by").prefetch_related("decisions")
        rows = rows.exclude(status=ConsensusStatus.PENDING, task__status__in=_busy())
        if status := choice(request, "status", ConsensusStatus.values):
            rows = rows.filter(status=status)
        reader = Reader.of(request.user, project)
        rows = rows.annotate(hardness=Coalesce("difficulty", 0.0))
        ordering = ORDERS[choice(request, "order", list(ORDERS)) or "doubt"]
        return paged(self, rows, lambda row: presenting.consensus_body(row, reader), ordering=ordering)


def _busy() -> list[str]:
    """States of a task in which its consensus does not wait for a person."""
    return [s for s in TaskStatus.values if s != TaskStatus.IN_REVIEW]


def consensus_for(request: Request, consensus_id: str, *capabilities: Capability) -> Consensus:
    rows: QuerySet[Consensus] = Consensus.objects.filter(version__gt=0).select_related(*WHOLE)
    found = get_or_404(access.visible(rows, request.user, through="task__project"), consensus_id)
    access.require(request.user, found.task.project, *capabilities)
    return found


def _detail(request: Request, row: Consensus) -> Response:
    row = Consensus.objects.select_related(*WHOLE).get(pk=row.pk)
    return Response(presenting.consensus_detail(row, Reader.of(request.user, row.task.project)))


def _whole_number(data: Any, name: str, *, default: int | None, low: int, high: int) -> int | None:
    value = data.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Invalid([Problem(f"/{name}", f"must be a whole number from {low} to {high}")])
    return value


def _version(data: Any) -> int | None:
    return _whole_number(data, "version", default=None, low=0, high=2**31)


class ConsensusDetail(View):
    @extend_schema(responses=serializers.ConsensusDetailSerializer)
    def get(self, request: Request, consensus_id: str) -> Response:
        return _detail(request, consensus_for(request, consensus_id))


class ConsensusBuild(View):
    """What was made at one time, of which submissions, and how like what there is now it is."""

    @extend_schema(responses=serializers.BuildDetailSerializer)
    def get(self, request: Request, consensus_id: str, version: int) -> Response:
        row = consensus_for(request, consensus_id)
        build = row.builds.select_related("track_set").filter(version=version).first()
        if build is None:
            raise Missing
        return Response(presenting.build_detail(build, row))


class Accept(View):
    @extend_schema(request=serializers.AcceptSerializer, responses=serializers.ConsensusDetailSerializer)
    def post(self, request: Request, consensus_id: str) -> Response:
        row = consensus_for(request, consensus_id, Capability.DECIDE)
        deciding.accept(consensus=row, by=request.user, version=_version(request.data))
        return _detail(request, row)


class Reject(View):
    @extend_schema(request=serializers.RejectSerializer, responses=serializers.ConsensusDetailSerializer)
    def post(self, request: Request, consensus_id: str) -> Response:
        row = consensus_for(request, consensus_id, Capability.DECIDE)
        reason = text(request.data, "reason")
        seats = _whole_number(request.data, "seats", default=1, low=1, high=100) or 1
        deciding.reject(consensus=row, by=request.user, reason=reason, seats=seats, version=_version(request.data))
        return _detail(request, row)


class Amend(View):
    @extend_schema(request=serializers.AmendSerializer, responses=serializers.ConsensusDetailSerializer)
    def post(self, request: Request, consensus_id: str) -> Response:
        row = consensus_for(request, consensus_id, Capability.DECIDE)
        tracks = parse_tracks(
            request.data,
            ontology=ontology_of(row.batch.ontology_id),
            start=row.segment.start,
            stop=row.segment.stop,
            width=row.video.width,
            height=row.video.height,
        )
        deciding.amend(consensus=row, tracks=tracks, by=request.user, version=_version(request.data))
        return _detail(request, row)


class MakeGold(View):
    """An accepted consensus becomes gold: it is given out again, and workers are scored against it."""

    @extend_schema(request=None, responses={201: GoldSerializer})
    def post(self, request: Request, consensus_id: str) -> Response:
        row = consensus_for(request, consensus_id, Capability.DECIDE)
        gold = gilding.make_gold(consensus=row, by=request.user)
        gold.refresh_from_db()
        return Response(gold_body(gold, Reader.of(request.user, row.task.project)), status=201)


class JoinList(View):
    @extend_schema(
        operation_id="joins_list",
        parameters=[OpenApiParameter("status", str, enum=["doubtful", "same", "different"])],
        responses=serializers.JoinSerializer(many=True),
    )
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id)
        rows = Join.objects.filter(video__project=project).select_related("left_segment", "right_segment", "decided_by")
        rows = rows.prefetch_related(*ENDS)
        wanted: dict[str, dict[str, Any]] = {
            "doubtful": {"doubtful": True, "same": None},
            "same": {"same": True},
            "different": {"same": False},
        }
        status = choice(request, "status", wanted)
        rows = rows.filter(**wanted[status] if status else {})
        reader = Reader.of(request.user, project)
        return paged(self, rows, lambda row: presenting.join_body(row, reader), ordering="confidence")


def join_for(request: Request, join_id: str, *capabilities: Capability) -> Join:
    rows = Join.objects.select_related("video__project", "left_segment", "right_segment", "decided_by")
    found = get_or_404(access.visible(rows, request.user, through="video__project"), join_id)
    access.require(request.user, found.video.project, *capabilities)
    return found


def _join(request: Request, row: Join) -> Response:
    return Response(presenting.join_body(row, Reader.of(request.user, row.video.project)))


class JoinDetail(View):
    @extend_schema(responses=serializers.JoinSerializer)
    def get(self, request: Request, join_id: str) -> Response:
        return _join(request, join_for(request, join_id))


class JoinVerdict(View):
    """The same object, or different ones."""

    same = True

    @extend_schema(request=None, responses=serializers.JoinSerializer)
    def post(self, request: Request, join_id: str) -> Response:
        join = join_for(request, join_id, Capability.DECIDE)
        stitching.decide_join(join=join, same=self.same, by=request.user)
        join.refresh_from_db()
        return _join(request, join)
