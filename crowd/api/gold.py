"""Gold: posted, read, retired and restored."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access, recording
from annotation.access import Capability
from annotation.answering import get_or_404, paged_at_once, text
from annotation.api.rows import project_for
from annotation.api.uploads import TakesFiles, video_in
from annotation.api_base import View
from crowd import exposing, presenting, seeding, serializers
from crowd.api.projects import range_in, tracks_in
from crowd.models import Gold, GoldEvent
from crowd.pseudonyms import Reader


class GoldList(TakesFiles):
    @extend_schema(operation_id="gold_list", responses=serializers.GoldSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id)
        reader = Reader.of(request.user, project)
        gold = Gold.objects.filter(project=project).select_related("track_set").defer("track_set__payload")
        return paged_at_once(self, gold, lambda rows: gold_bodies(rows, reader))

    @extend_schema(
        request={
            "application/json": serializers.RangeInSerializer,
            "multipart/form-data": serializers.GoldFileSerializer,
        },
        responses={201: serializers.GoldSerializer},
    )
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        video = video_in(project, request.data)
        start, stop = range_in(video, request.data)
        if self.upload is not None:
            tracks = self.upload.gold(start, stop)
        else:
            tracks = tracks_in(project, video, request.data, start, stop)
        gold = seeding.post_gold(project=project, video=video, tracks=tracks, by=request.user)
        gold.refresh_from_db()
        return Response(gold_body(gold, Reader.of(request.user, project)), status=201)


class GoldDetail(View):
    @extend_schema(responses=serializers.GoldSerializer)
    def get(self, request: Request, gold_id: str) -> Response:
        gold = get_or_404(access.visible(Gold.objects.select_related("track_set", "project"), request.user), gold_id)
        return Response(gold_body(gold, Reader.of(request.user, gold.project)))


class GoldTracks(View):
    """What gold says of its frames."""

    @extend_schema(responses=serializers.GoldTracksSerializer)
    def get(self, request: Request, gold_id: str) -> Response:
        gold = get_or_404(access.visible(Gold.objects.select_related("track_set"), request.user), gold_id)
        return Response({"start": gold.start, "stop": gold.stop, **recording.load_json(gold.track_set)})


class GoldMove(View):
    """Retire gold, or use it again."""

    move = ""

    @extend_schema(request=serializers.ReasonSerializer, responses=serializers.GoldSerializer)
    def post(self, request: Request, gold_id: str) -> Response:
        gold = get_or_404(access.visible(Gold.objects.select_related("track_set", "project"), request.user), gold_id)
        access.require(request.user, gold.project, Capability.RUN)
        verb = {"retire": exposing.retire, "restore": exposing.restore}[self.move]
        verb(gold=gold, by=request.user, reason=text(request.data, "reason"))
        gold.refresh_from_db()
        return Response(gold_body(gold, Reader.of(request.user, gold.project)))


def gold_body(gold: Gold, reader: Reader) -> dict[str, Any]:
    return gold_bodies([gold], reader)[0]


def gold_bodies(gold: list[Gold], reader: Reader) -> list[dict[str, Any]]:
    """Those of several, by as many questions as for one."""
    seen = exposing.exposures_of(gold)
    presenting.tell_intervals(gold)
    prefetch_related_objects(gold, Prefetch("events", GoldEvent.objects.select_related("by").order_by("pk")))
    for each in gold:
        each.exposures = seen[each.pk]  # type: ignore[attr-defined]
    return [dict(body) for body in serializers.GoldSerializer(gold, many=True, context={"reader": reader}).data]
