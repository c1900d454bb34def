"""Rows as the bodies of the public contract."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from annotation import recording
from annotation.core.likeness import soft_f
from annotation.core.tracks import fill_track
from annotation.models import TrackSet
from crowd import completing
from crowd.models import Assignment
from crowd.presenting import clip_body
from crowd.pseudonyms import Reader, pseudonym
from review.core.selection import Selection
from review.lifecycle import WorkStatus
from review.models import Build, Consensus, Export, Import, Join, Release


def consensus_body(row: Consensus, reader: Reader) -> dict[str, Any]:
    """As listed. `decided_by` is "rule" where no person decided, and a pseudonym for who may not read names."""
    decider = None if row.decided_at is None else "rule"
    return {
        "id": row.pk,
        "batch": row.batch_id,
        "video": row.video_id,
        "segment": {"start": row.segment.start, "stop": row.segment.stop},
        "status": row.status,
        "version": row.version,
        "agreement": row.agreement,
        "confidence": row.confidence,
        "difficulty": row.difficulty,
        "decided_by": reader.name_of(row.decided_by) or decider,
        "decided_at": row.decided_at,
        "decisions": len(row.decisions.all()),  # few; a list has fetched those of all its rows
    }


def consensus_detail(row: Consensus, reader: Reader) -> dict[str, Any]:
    """With tracks, every submission and the clip; workers under pseudonyms for who may not read names."""
    said = recording.load_json(row.track_set) if row.track_set else {"tracks": [], "intervals": []}
    submissions = [_submission(s, row, reader.names) for s in completing.submissions_of(row.task)]
    clip = clip_body(row.segment) if hasattr(row.segment, "clip") else None
    return {**consensus_body(row, reader), **said, "submissions": submissions, "builds": _builds(row), "clip": clip}


def _builds(row: Consensus) -> list[dict[str, Any]]:
    """What was made of how many submissions, and why one more worker was wanted after it."""
    return [build_body(build) for build in row.builds.order_by("version")]


def build_body(build: Build) -> dict[str, Any]:
    names = ("version", "method", "agreement", "confidence", "gain", "wanted", "withheld", "created_at")
    return {name: getattr(build, name) for name in names} | {"submissions": len(build.inputs)}


def build_detail(build: Build, row: Consensus) -> dict[str, Any]:
    """With its tracks, what each submission weighed and how far it agreed, and how alike it is to what stands now."""
    made, now = (recording.load(kept) for kept in (build.track_set, row.track_set or build.track_set))
    inputs = [{"id": i, "weight": build.weights.get(i), "score": build.scores.get(i)} for i in build.inputs]
    likeness = soft_f(made, now, made.start, made.stop, events=True)
    return {**build_body(build), "inputs": inputs, "likeness": likeness, **recording.load_json(build.track_set)}


def _submission(seat: Assignment, row: Consensus, names: bool) -> dict[str, Any]:
    assert seat.track_set is not None  # it was submitted
    worker = seat.worker.username if names and seat.worker else pseudonym(row.task.project_id, seat.worker_id)
    return {"id": seat.pk, "worker": worker, **recording.load_json(seat.track_set)}


def join_body(join: Join, reader: Reader) -> dict[str, Any]:
    """A join with, for each end, the frame and box to look at: the last of the left, the first of the right."""
    verdict = {True: "same", False: "different", None: "doubtful" if join.doubtful else "settled"}[join.same]
    return {
        "id": join.pk,
        "video": join.video_id,
        "kind": join.kind,
        "confidence": join.confidence,
        "status": verdict,
        **join_ends(join),
        "decided_by": reader.name_of(join.decided_by),
        "decided_at": join.decided_at,
    }


def join_ends(join: Join) -> dict[str, dict[str, Any]]:
    return {
        "left": _end(join.left_segment, join.left_track, last=True),
        "right": _end(join.right_segment, join.right_track, last=False),
    }


def _end(segment: Any, track_id: str, *, last: bool) -> dict[str, Any]:
    body = {"segment": {"start": segment.start, "stop": segment.stop}, "track": track_id, "frame": None, "box": None}
    consensus: Consensus | None = getattr(segment, "consensus", None)
    body["consensus"] = consensus.pk if consensus else None
    if consensus is None or consensus.track_set is None:
        return body
    return body | _view(consensus.track_set, track_id, last)


def _view(track_set: TrackSet, track_id: str, last: bool) -> dict[str, Any]:
    tracks = recording.load(track_set)
    track = next((t for t in tracks.tracks if t.id == track_id), None)
    if track is None:
        return {}
    boxes, present, _ = fill_track(track, tracks.start, tracks.stop)
    there = present.nonzero()[0]
    if not len(there):
        return {}
    at = int(there[-1] if last else there[0])
    return {"frame": tracks.start + at, "box": boxes[at].tolist()}


def release_body(row: Release) -> dict[str, Any]:
    names = ("number", "status", "progress", "reason", "sha256", "videos", "tracks", "created_at")
    return {"id": row.pk} | {name: getattr(row, name) for name in names}


def import_body(row: Import) -> dict[str, Any]:
    names = ("format", "name", "sha256", "tracks", "keyframes", "created_at")
    made = {"gold": row.gold_id, "pre_labels": row.pre_labels_id, "batch": row.batch_id}
    which = {"id": row.pk, "project": row.project_id, "video": row.video_id, "as": row.kind}
    return which | {name: getattr(row, name) for name in names} | made


def export_body(row: Export) -> dict[str, Any]:
    ready = row.status == WorkStatus.READY
    return {
        "id": row.pk,
        "format": row.format,
        "release": row.release_id,
        "video": row.video_id,
        **Selection.from_json(row.selection).body(),
        "status": row.status,
        "progress": row.progress,
        "reason": row.reason,
        "sha256": row.sha256 or None,
        "bytes": row.bytes,
        "url": reverse("export-download", args=[row.pk]) if ready else None,
    }
