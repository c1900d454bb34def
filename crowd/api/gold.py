"""Gold: posted, read, retired and restored."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access, recording
from annotation.access import Capability
from annotation.answering import get_or_404, paged, text
from annotation.api.rows import project_for
from annotation.api.uploads import TakesFiles, video_in
from annotation.api_base import View
from crowd import exposing, seeding, serializers
from crowd.api.projects import range_in, tracks_in
from crowd.models import Gold
from crowd.pseudonyms import Reader


class GoldList(TakesFiles):
    @extend_schema(operation_id="gold_list", responses=serializers.GoldSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id)
        reader = Reader.of(request.user, project)
        gold = Gold.objects.filter(project=project).select_related("track_set")
        return paged(self, gold, lambda row: gold_body(row, reader))

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
    gold.exposures = exposing.exposures_of(gold)  # type: ignore[attr-defined]
    gold.intervals = recording.count_intervals(gold.track_set)  # type: ignore[attr-defined]
    return dict(serializers.GoldSerializer(gold, context={"reader": reader}).data)
