"""Where one box of a release came from: submissions, gold scores, joins and decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from annotation.core.joins import Join, Ref
from annotation.core.resolving import resolve
from annotation.errors import Missing
from annotation.models import TrackSet
from crowd.models import Assignment
from crowd.pseudonyms import pseudonym
from review.assembling import Whole
from review.core.objects import Object
from review.errors import NotReady
from review.lifecycle import WorkStatus
from review.models import Consensus, Decision, Release, Stitch
from review.stitching import segments_near


def trace(*, release: Release, video_id: str, number: int, frame: int) -> dict[str, Any]:
    """What led to a track's box on a frame. Missing where the release has no such box; NotReady."""
    if release.status != WorkStatus.READY or release.content is None:
        raise NotReady
    row = Stitch.objects.select_related("video").filter(pk=release.content["videos"].get(video_id)).first()
    if row is None:
        raise Missing
    whole = Whole(row)
    found, thread = whole.one(number), whole.packed.thread(number)
    if found is None or thread is None:
        raise Missing
    near = segments_near(row, frame, frame + 1)
    dense = resolve(near, whole.stitched(near), frame, frame + 1).dense
    at = dense.ids.index(str(number)) if str(number) in dense.ids else None
    if at is None or not dense.present[at, 0]:
        raise Missing
    return {
        "release": release.pk,
        "video": video_id,
        "track": number,
        "frame": frame,
        "label": found.label,
        "confidence": found.confidence,
        "box": dense.boxes[at, 0].tolist(),
        "occluded": bool(dense.occluded[at, 0]),
        "segments": _segments(release, whole, found, thread.refs, frame),
        "joins": [_join(join) for join in thread.joins],
    }


def _segments(release: Release, whole: Whole, found: Object, refs: Sequence[Ref], frame: int) -> list[dict[str, Any]]:
    """The segments that show the frame; two where it lies in their overlap."""
    inputs = dict(map(tuple, whole.row.inputs))
    sets = TrackSet.objects.in_bulk([inputs[segment] for segment, _ in refs])
    out = []
    for segment, track in refs:
        track_set = sets[inputs[segment]]
        if track_set.start <= frame < track_set.stop:
            out.append(_segment(release, found, (segment, track), track_set))
    return out


def _segment(release: Release, found: Object, ref: Ref, track_set: TrackSet) -> dict[str, Any]:
    segment, track = ref
    consensus = Consensus.objects.filter(segment=segment).first()
    # As of the release: what was decided of the segment up to what it holds.
    decisions = list(Decision.objects.filter(consensus=consensus).select_related("by").order_by("pk"))
    last = next((i for i, d in enumerate(decisions) if d.track_set_id == track_set.pk), len(decisions) - 1)
    build = consensus.builds.filter(version=decisions[last].version).first() if consensus and decisions else None
    return {
        "segment": {"start": track_set.start, "stop": track_set.stop},
        "consensus": consensus.pk if consensus else None,
        "track": track,
        "source": track_set.source,
        "method": build.method if build else None,
        "agreement": build.agreement if build and build.inputs else None,
        "decisions": [_decision(d) for d in decisions[: last + 1]],
        "reviewed": sum(d.by_id is not None for d in decisions[: last + 1]),
        "submissions": _submissions(release, found, build.inputs if build else []),
    }


def _decision(row: Decision) -> dict[str, Any]:
    by = "rule" if row.by_id is None else "reviewer"
    return {"verdict": row.verdict, "by": by, "version": row.version, "reason": row.reason, "at": row.created_at}


def _submissions(release: Release, found: Object, inputs: list[str]) -> list[dict[str, Any]]:
    """Every input of the segment's consensus; those that drew this very object say so."""
    drawn = set(found.support)
    seats = Assignment.objects.filter(pk__in=inputs).select_related("score").order_by("pk")
    return [
        {
            "id": seat.pk,
            "worker": pseudonym(release.project_id, seat.worker_id),
            "supports": seat.pk in drawn,
            "benchmark_score": seat.score.value if hasattr(seat, "score") else None,
        }
        for seat in seats
    ]


def _join(join: Join) -> dict[str, Any]:
    said = {"kind": join.kind, "confidence": join.confidence}
    return said | {"doubtful": join.doubtful, "decided": join.decided}
