"""Rows as the bodies of the public contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, Min, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from annotation import clipping, defining, recording
from annotation.core.clipping import on_steps
from annotation.core.tracks import to_json
from annotation.models import Project, Segment
from annotation.sizing import Bytes
from crowd import ghosting, prelabelling, qualifying, reporting
from crowd.core.policies import Policy, from_json
from crowd.core.qualification import Qualification
from crowd.lifecycle import ENDED_SEATS, Seat, TaskStatus
from crowd.models import Assignment, Batch, BatchVideo, Gold, Task
from crowd.models import Policy as PolicyRow
from crowd.seating import policy_of

NO_GOLD = "No gold was posted for these videos, so nobody's work is scored against a known answer."


def current_policy(project: Project) -> Policy:
    """The newest version of a project's policy."""
    row = PolicyRow.objects.filter(project=project).order_by("-version").first()
    return from_json(row.values) if row else Policy()


def project_body(project: Project) -> dict[str, Any]:
    return project_bodies([project])[0]


def project_bodies(projects: Sequence[Project]) -> list[dict[str, Any]]:
    """Those of several, by as many questions as for one."""
    ontologies = defining.current_ontologies(projects)
    rows = defining.newest_versions(PolicyRow.objects.filter(project__in=projects))
    policies = {row.project_id: from_json(row.values) for row in rows}
    return [
        {
            "id": project.pk,
            "name": project.name,
            "instructions": project.instructions,
            "labels": ontologies[project.pk].labels,
            "policy": policies.get(project.pk, Policy()).to_json(),
            "ontology_version": ontologies[project.pk].version,
            "created_at": project.created_at,
        }
        for project in projects
    ]


def batch_body(batch: Batch) -> dict[str, Any]:
    return batch_bodies([batch])[0]


def batch_bodies(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    """Those of several batches of a project, by as many questions as for one."""
    ids = [batch.pk for batch in batches]
    videos: dict[str, list[str]] = {pk: [] for pk in ids}
    for pk, video in BatchVideo.objects.filter(batch__in=ids).order_by("pk").values_list("batch", "video"):
        videos[pk].append(video)
    counts, warnings = reporting.counts_of_each(batches=ids), _warnings(batches)
    return [
        {
            "id": batch.pk,
            "project": batch.project_id,
            "status": batch.status,
            "policy": batch.policy,
            "videos": videos[batch.pk],
            **counts[batch.pk],
            "warnings": warnings[batch.pk],
            "created_at": batch.created_at,
        }
        for batch in batches
    ]


def _warnings(batches: Sequence[Batch]) -> dict[str, list[dict[str, str]]]:
    """By batch."""
    ids = [batch.pk for batch in batches]
    in_use = Gold.objects.filter(video=OuterRef("video"), retired_at=None)
    golden = set(BatchVideo.objects.filter(Exists(in_use), batch__in=ids).values_list("batch", flat=True))
    missing = _missing_gold(batches)
    opening = Task.objects.filter(batch__in=ids, status=TaskStatus.OPENING).exclude(reason="")
    waiting = dict(opening.order_by().values_list("batch").annotate(said=Min("reason")))
    found: dict[str, list[dict[str, str]]] = {}
    for batch in batches:
        gold = None if batch.pk in golden or policy_of(batch).gold_share == 0 else NO_GOLD
        told = {"no_gold": gold, "no_qualification_gold": missing[batch.pk], "tasks_wait": waiting.get(batch.pk)}
        found[batch.pk] = [{"code": code, "message": message} for code, message in told.items() if message]
    return found


def _missing_gold(batches: Sequence[Batch]) -> dict[str, str | None]:
    """What each batch's qualification lacks; with some of its gold, people can pass, with none nobody can.

    Most batches of a project ask the same, which is looked for once.
    """
    asked = {batch.pk: policy_of(batch).qualification for batch in batches}
    golds = {each.gold: each for each in asked.values() if each}
    lacks = {gold: _lacking(batches[0].project_id, each) for gold, each in golds.items()}
    return {pk: each and lacks[each.gold] for pk, each in asked.items()}


def _lacking(project_id: str, asked: Qualification) -> str | None:
    wanted = asked.gold if isinstance(asked.gold, int) else len(asked.gold)
    there = len(qualifying.gold_for(project_id=project_id, asked=asked))
    if there >= wanted:
        return None
    return f"The qualification asks for {wanted} gold segments, and {there} can be used: post more, or ask for fewer."


#: Of packed tracks, how many bytes of JSON one byte becomes (see docs/decisions/files-and-frames.md).
UNPACKED = 20


def sized(seats: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """The seats with `size`: about how many bytes what was drawn there takes in `assignment_body`."""
    submitted = Coalesce(Bytes("track_set__payload"), 0) * UNPACKED
    return seats.annotate(size=submitted + Coalesce(Bytes("draft__body"), 0))


def tell_intervals(gold: Iterable[Gold]) -> None:
    """Tell each gold its number of `intervals`."""
    numbers = recording.count_intervals(row.track_set_id for row in gold)
    for row in gold:
        row.intervals = numbers[row.track_set_id]  # type: ignore[attr-defined]


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
