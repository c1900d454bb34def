"""Where a released track came from: segments, submissions, joins and decisions."""

from __future__ import annotations

from typing import Any

from annotation.models import TrackSet
from crowd.models import Assignment
from crowd.pseudonyms import pseudonym
from review.assembling import Object, Whole
from review.models import Decision, Stitch


def undecided(row: Stitch) -> list[list[int]]:
    """The ranges of frames of a video that no accepted segment of a stitch covers."""
    keys = [track_set for _, track_set in row.inputs]
    spans = sorted(TrackSet.objects.filter(pk__in=keys).values_list("start", "stop"))
    gaps, reached = [], 0
    for start, stop in [*spans, (row.video.frame_count or 0, row.video.frame_count or 0)]:
        if start > reached:
            gaps.append([reached, start])
        reached = max(reached, stop)
    return gaps


def provenance(project_id: str, whole: Whole) -> list[dict[str, Any]]:
    """For each track: its segments, submissions (workers as pseudonyms), confidence, joins and decisions."""
    inputs = dict(map(tuple, whole.row.inputs))
    ranges = TrackSet.objects.filter(pk__in=inputs.values()).values_list("pk", "start", "stop")
    spans = {pk: [start, stop] for pk, start, stop in ranges}
    decisions = _decisions(list(inputs.values()))
    workers = _workers(project_id, whole)
    joins: dict[int, list[dict[str, Any]]] = {}
    for join in whole.stitched.joins:
        said = {"kind": join.kind, "confidence": round(join.confidence, 6), "doubtful": join.doubtful}
        joins.setdefault(whole.stitched.identities[join.left], []).append(
            said | {"left": list(join.left), "right": list(join.right), "decided": join.decided}
        )
    return [
        {
            "id": found.number,
            "label": found.label,
            "confidence": None if found.confidence is None else round(found.confidence, 6),
            "segments": [_segment(ref[0], inputs, spans, decisions) | {"track": ref[1]} for ref in found.sources],
            "submissions": _submissions(found, workers),
            "joins": joins.get(found.number, []),
        }
        for found in whole.objects.values()
    ]


def _segment(
    segment_id: str, inputs: dict[str, str], spans: dict[str, list[int]], decisions: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    track_set = inputs[segment_id]
    return {"id": segment_id, "frames": spans[track_set], "decision": decisions.get(track_set)}


def _decisions(track_sets: list[str]) -> dict[str, dict[str, Any]]:
    found = Decision.objects.filter(track_set__in=track_sets).order_by("pk")
    return {
        d.track_set_id: {"verdict": d.verdict, "by": "rule" if d.by_id is None else "reviewer", "version": d.version}
        for d in found
        if d.track_set_id
    }


def _workers(project_id: str, whole: Whole) -> dict[str, str]:
    """The pseudonym behind each submission that supports a track."""
    ids = {s for found in whole.objects.values() for s in found.support}
    rows = Assignment.objects.filter(pk__in=ids).values_list("pk", "worker_id")
    return {seat: pseudonym(project_id, worker) for seat, worker in rows}


def _submissions(found: Object, workers: dict[str, str]) -> list[dict[str, str]]:
    return [{"id": s, "worker": workers[s]} for s in sorted(found.support) if s in workers]
