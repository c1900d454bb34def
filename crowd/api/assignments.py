"""The worker's addresses: claim, draw, submit. An assignment that is not one's own does not exist."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import access, picture_query, picturing
from annotation.answering import choice, get_or_404, text
from annotation.api.videos import PICTURES, WhateverIsAccepted
from annotation.api_base import Pages, View
from annotation.core.ontology import Ontology, parse_labels
from annotation.core.parsing import InvalidTracks, parse_tracks
from annotation.core.problems import Invalid, Problem
from annotation.core.tracks import Tracks
from annotation.errors import Missing
from annotation.idempotency import Unchanged
from annotation.models import Ontology as OntologyRow
from annotation.models import Project, User
from annotation.serving import serve_bytes
from crowd import claiming, ghosting, holding, presenting, publishing, reading, serializers, submitting
from crowd.errors import NotAllowedToWork
from crowd.lifecycle import Seat
from crowd.models import Assignment
from crowd.seating import policy_of

LONGEST_PAGE = 64
#: Bytes of what was drawn that a page of seats tells: a hundred drafts of 28 MB were more than the machine holds.
MOST_DRAWN = 16 << 20
WHOLE = ("project", "batch__ontology", "task__segment__video", "task__segment__clip", "track_set", "draft")


def seat_of(request: Request, assignment_id: str) -> Assignment:
    return get_or_404(seats_of(request), assignment_id)


def seats_of(request: Request) -> QuerySet[Assignment]:
    return Assignment.objects.filter(worker=request.user).select_related(*WHOLE)


@lru_cache(maxsize=256)
def ontology_of(row_id: int) -> Ontology:
    """A version of an ontology never changes, so it is read once."""
    return parse_labels(OntologyRow.objects.get(pk=row_id).labels)


def read_work(seat: Assignment, data: Any) -> Tracks:
    """The tracks and intervals of a body, checked against the seat's segment. InvalidTracks lists what is wrong."""
    segment = seat.task.segment
    return parse_tracks(
        data,
        ontology=ontology_of(seat.batch.ontology_id),
        start=segment.start,
        stop=segment.stop,
        width=segment.video.width,
        height=segment.video.height,
        frame_step=policy_of(seat.batch).frame_step,
    )


class Claim(View):
    @extend_schema(
        request=serializers.ClaimSerializer,
        responses={201: serializers.AssignmentSerializer, 200: serializers.AssignmentSerializer, 204: None},
    )
    def post(self, request: Request) -> Response:
        project = _project(request)
        claim = claiming.claim(worker=request.user, project=project)
        if claim is None:
            publishing.advance_for(worker=request.user, project=project)
            return Response(status=204)
        if not claim.fresh:  # with a draft of any size in it, as often as it is asked for
            return Unchanged(presenting.assignment_body(seat_of(request, claim.seat.pk)))
        seat = reading.seat_just_taken(claim.seat, request.user)
        if seat is None:
            raise Missing
        ghosting.show(seat=seat)
        return Response(presenting.assignment_body(seat), status=201)


def _project(request: Request) -> Project | None:
    """The project that a claim names, or None for any; 404 where this worker may not work in it."""
    if not isinstance(request.data, dict) or request.data.get("project") is None:
        if request.user.role != "worker" and not claiming.invited(request.user).exists():
            raise NotAllowedToWork("Only workers can claim.")
        return None
    return _workable(request.user, text(request.data, "project"))


def _workable(user: User, id_or_name: str) -> Project:
    """The project of an id, or of a name that is unique among those in which the user may work.

    An id comes first: somebody may give a project the id of another one as its name.
    """
    found = claiming.workable_called(user, id_or_name)
    meant = [project for project in found if project.pk == id_or_name] or found
    if len(meant) == 1:
        return meant[0]
    # Who sees the project all the same is told why there is nothing for them.
    get_or_404(access.visible_projects(user), id_or_name)
    raise NotAllowedToWork("Only workers can claim, and only in projects that are open to them.")


class AssignmentList(View):
    """One's own seats. A page ends before `page_size` where what was drawn at them is long."""

    @extend_schema(
        operation_id="assignments_list",
        parameters=[OpenApiParameter("status", str, enum=Seat.values)],
        responses=serializers.AssignmentSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        seats = Assignment.objects.filter(worker=request.user)
        if status := choice(request, "status", Seat.values):
            seats = seats.filter(status=status)
        pages = Pages()
        pages.ordering = ("pk",)
        page = pages.paginate_queryset(presenting.sized(seats).only("pk"), request, view=self)
        page = pages.cut([seat.size for seat in page], MOST_DRAWN)
        whole = seats_of(request).in_bulk([seat.pk for seat in page])
        return pages.get_paginated_response([presenting.assignment_body(whole[seat.pk]) for seat in page])


class AssignmentDetail(View):
    @extend_schema(responses=serializers.AssignmentSerializer)
    def get(self, request: Request, assignment_id: str) -> Response:
        return Response(presenting.assignment_body(seat_of(request, assignment_id)))


class AssignmentPicture(View):
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(parameters=picture_query.PARAMETERS, responses=PICTURES)
    def get(self, request: Request, assignment_id: str, frame: int) -> HttpResponseBase:
        seat = seat_of(request, assignment_id)
        as_, width = picture_query.read(request)
        picture = picturing.clip_picture(seat.task.segment, frame, as_, width, viewer=seat.pk)
        return serve_bytes(request, picture.read, etag=picture.etag, content_type=picture.content_type)


class SaveDraft(View):
    @extend_schema(request=serializers.WorkInSerializer, responses=serializers.DraftSavedSerializer)
    def put(self, request: Request, assignment_id: str) -> Response:
        seat, page = seat_of(request, assignment_id), _page(request.data)
        token = text(request.data, "token")
        version = holding.save_draft(seat=seat, token=token, body=_draft_in(request.data), page=page)
        return Response({"id": seat.pk, "status": seat.status, "version": version})


def _page(data: Any) -> holding.Page:
    """Which page sends this and what draft it knows of; a `page` alone knows of none."""
    word, version = text(data, "page", default=""), data.get("version", 0)
    if len(word) > LONGEST_PAGE:
        raise Invalid([Problem("/page", f"must have at most {LONGEST_PAGE} characters")])
    if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**31:
        raise Invalid([Problem("/version", "must be the version of a draft, a whole number")])
    return holding.Page(word, version)


def _draft_in(data: Any) -> str:
    """A draft may be anything unfinished, but it is a list of objects."""
    draft = {"tracks": data.get("tracks"), "intervals": data.get("intervals") or []}
    for name, items in draft.items():
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Invalid([Problem(f"/{name}", "must be a list of objects")])
    return json.dumps(draft, separators=(",", ":"))


class Renew(View):
    @extend_schema(request=serializers.TokenSerializer, responses=serializers.LeaseSerializer)
    def post(self, request: Request, assignment_id: str) -> Response:
        until = holding.renew(seat=seat_of(request, assignment_id), token=text(request.data, "token"))
        return Response({"lease_until": until})


class Submit(View):
    @extend_schema(request=serializers.WorkInSerializer, responses=serializers.SeatStatusSerializer)
    def post(self, request: Request, assignment_id: str) -> Response:
        seat = _seat_at_work(request, assignment_id)
        token, page = text(request.data, "token"), _page(request.data)
        holding.check_draft(seat=seat, page=page)
        body = json.dumps(request.data, separators=(",", ":"))
        try:
            tracks = read_work(seat, request.data)
        except InvalidTracks:
            # What comes too late is told so, and kept, whatever is in it.
            holding.check_held(seat=seat, token=token, body=body)
            raise
        submitting.submit(
            seat=seat, token=token, tracks=tracks, body=body, worker=request.user, client_work_s=_work_s(request.data)
        )
        return Response({"id": seat.pk, "status": "submitted"})


def _seat_at_work(request: Request, assignment_id: str) -> Assignment:
    seat = None if "\0" in assignment_id else reading.seat_at_work(assignment_id, request.user)
    if seat is None:
        raise Missing
    return seat


def _work_s(data: Any) -> float | None:
    value = data.get("work_s")
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value < 1e9
    return float(value) if fits else None


class ReleaseSeat(View):
    @extend_schema(request=serializers.ReleaseSeatSerializer, responses=serializers.SeatStatusSerializer)
    def post(self, request: Request, assignment_id: str) -> Response:
        seat = seat_of(request, assignment_id)
        reason = text(request.data, "reason", default="")
        holding.release(seat=seat, token=text(request.data, "token"), worker=request.user, reason=reason)
        return Response({"id": seat.pk, "status": seat.status})
