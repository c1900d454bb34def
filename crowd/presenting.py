"""Rows as the bodies of the public contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from annotation import clipping, defining, recording
from annotation.core.clipping import on_steps
from annotation.core.tracks import to_json
from annotation.models import Project, Segment
from annotation.sizing import Bytes
from crowd import ghosting, prelabelling, qualifying, reporting
from crowd.core.policies import Policy, from_json
from crowd.lifecycle import ENDED_SEATS, Seat
from crowd.models import Assignment, Batch, BatchVideo, Gold
from crowd.models import Policy as PolicyRow
from crowd.seating import policy_of


def current_policy(project: Project) -> Policy:
    """The newest version of a project's policy."""
    row = PolicyRow.objects.filter(project=project).order_by("-version").first()
    return from_json(row.values) if row else Policy()


def project_body(project: Project) -> dict[str, Any]:
    ontology = defining.current_ontology(project)
    return {
        "id": project.pk,
        "name": project.name,
        "instructions": project.instructions,
        "labels": ontology.labels,
        "policy": current_policy(project).to_json(),
        "ontology_version": ontology.version,
        "created_at": project.created_at,
    }


def batch_body(batch: Batch) -> dict[str, Any]:
    videos = BatchVideo.objects.filter(batch=batch).order_by("pk").values_list("video_id", flat=True)
    return {
        "id": batch.pk,
        "project": batch.project_id,
        "status": batch.status,
        "policy": batch.policy,
        "videos": list(videos),
        **reporting.counts(batches=[batch.pk]),
        "warnings": _warnings(batch, videos),
        "created_at": batch.created_at,
    }


def _warnings(batch: Batch, videos: Sequence[str]) -> list[dict[str, str]]:
    warnings = []
    if policy_of(batch).gold_share > 0 and not Gold.objects.filter(video__in=videos, retired_at=None).exists():
        message = "No gold was posted for these videos, so nobody's work is scored against a known answer."
        warnings.append({"code": "no_gold", "message": message})
    if missing := _missing_gold(batch):
        warnings.append({"code": "no_qualification_gold", "message": missing})
    waiting = batch.tasks.filter(status="opening").exclude(reason="").values_list("reason", flat=True).first()
    if waiting:
        warnings.append({"code": "tasks_wait", "message": waiting})
    return warnings


def _missing_gold(batch: Batch) -> str | None:
    """What a batch's qualification lacks; with some of its gold, people can pass, with none nobody can."""
    asked = policy_of(batch).qualification
    wanted = 0 if asked is None else asked.gold if isinstance(asked.gold, int) else len(asked.gold)
    there = len(qualifying.gold_for(project_id=batch.project_id, asked=asked)) if asked else 0
    if there >= wanted:
        return None
    return f"The qualification asks for {wanted} gold segments, and {there} can be used: post more, or ask for fewer."


#: Of packed tracks, how many bytes of JSON one byte becomes (see docs/decisions/files-and-frames.md).
UNPACKED = 20


def sized(seats: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """The seats with `size`: about how many bytes what was drawn there takes in `assignment_body`."""
    submitted = Coalesce(Bytes("track_set__payload"), 0) * UNPACKED
    return seats.annotate(size=submitted + Coalesce(Bytes("draft__body"), 0))


def gold_of(project: Project) -> list[Gold]:
    """All of a project's gold, each with its number of intervals."""
    rows = list(Gold.objects.filter(project=project).select_related("video", "track_set"))
    for row in rows:
        row.intervals = recording.count_intervals(row.track_set)  # type: ignore[attr-defined]
    return rows


def assignment_body(seat: Assignment) -> dict[str, Any]:
    """A seat as its worker sees it: gold and real work alike."""
    policy, segment = policy_of(seat.batch), seat.task.segment
    drawn = _drawn(seat)
    return {
        "id": seat.pk,
        "token": seat.token or "",
        "status": seat.status,
        "project": {
            "id": seat.project_id,
            "name": seat.project.name,
            "instructions": seat.project.instructions,
            "labels": seat.batch.ontology.labels,
        },
        "segment": segment_body(segment),
        "clip": clip_body(segment),
        "frame_step": policy.frame_step,
        "tracks": drawn.get("tracks") or [],
        "intervals": drawn.get("intervals") or [],
        "draft": _draft(seat),
        "ghosts": _ghosts(seat) if policy.ghosts else [],
        "lease_until": seat.lease_until,
        "renewals_left": max(0, policy.max_renewals - seat.renewals),
        "reward_micros": seat.reward_micros,
        "currency": policy.currency,
    }


def _ghosts(seat: Assignment) -> list[dict[str, Any]]:
    shown = ghosting.shown_to(seat)
    return to_json(shown)["tracks"] if shown else []


def segment_body(segment: Segment) -> dict[str, Any]:
    video = segment.video
    return {"start": segment.start, "stop": segment.stop, "width": video.width, "height": video.height}


def clip_body(segment: Segment) -> dict[str, Any]:
    clip = segment.clip
    return {
        "url": clipping.clip_url(segment),
        "width": clip.width,
        "height": clip.height,
        "frame_times_s": clip.frame_times_s,
    }


def _draft(seat: Assignment) -> dict[str, Any] | None:
    draft = getattr(seat, "draft", None) if seat.status in (Seat.HELD, *ENDED_SEATS) else None
    return draft and {"version": draft.version, "page": draft.page, "saved_at": draft.saved_at}


def _drawn(seat: Assignment) -> dict[str, Any]:
    """What was submitted, else the draft, else the project's pre-labels."""
    if seat.track_set is not None:
        return recording.load_json(seat.track_set)
    draft = getattr(seat, "draft", None)
    if draft is not None:
        return json.loads(draft.body)
    if seat.status in ENDED_SEATS:
        return {}
    # Drawn on: what is between the frames that are shown could be neither changed nor submitted.
    return to_json(on_steps(prelabelling.pre_labels_for(seat.task), policy_of(seat.batch).frame_step))


def submission_body(seat: Assignment) -> dict[str, Any]:
    """A seat as a manager sees it."""
    score, peers = getattr(seat, "score", None), getattr(seat, "peer_score", None)
    late = getattr(seat, "late_body", None)
    return {
        "id": seat.pk,
        "worker": seat.worker.username if seat.worker else None,
        "status": seat.status,
        "segment": segment_body(seat.task.segment),
        "video": seat.task.segment.video_id,
        "benchmark_score": score.value if score else None,
        "agreement": peers.value if peers else None,
        "late": bool(late and late.salvaged_at is None and seat.status != Seat.SUBMITTED),
        "claimed_at": seat.claimed_at,
        "submitted_at": seat.submitted_at,
    }
