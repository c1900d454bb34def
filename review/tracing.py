"""Where a released track came from: segments, submissions, joins and decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from annotation.core.joins import Join, Ref
from annotation.formats.texts import listed
from crowd.models import Assignment
from crowd.pseudonyms import pseudonyms
from review.assembling import Whole
from review.core.objects import Object
from review.models import Decision

AT_ONCE = 1000


def undecided(whole: Whole) -> list[list[int]]:
    """The ranges of frames of a video that no accepted segment of a stitch covers."""
    end = whole.row.video.frame_count or 0
    gaps, reached = [], 0
    for start, stop in [*whole.spans.values(), (end, end)]:
        if start > reached:
            gaps.append([reached, start])
        reached = max(reached, stop)
    return gaps


class Provenance(Mapping[int, dict[str, Any]]):
    """For each track by its number: its segments, submissions (workers as pseudonyms), confidence, joins, decisions.

    Put together when asked for: a video of hours has more of it than should lie in memory.
    """

    def __init__(self, project_id: str, whole: Whole) -> None:
        self.whole = whole
        self._inputs = dict(map(tuple, whole.row.inputs))
        self._spans = whole.spans
        self._decided = _decisions(list(self._inputs.values()))
        self._workers = _workers(project_id, whole)

    def __iter__(self) -> Iterator[int]:
        return iter(self.whole.objects)

    def __len__(self) -> int:
        return len(self.whole.objects)

    def __getitem__(self, number: int) -> dict[str, Any]:
        found, thread = self.whole.objects[number], self.whole.packed.thread(number)
        assert thread is not None  # there is no object without one
        return {
            "id": found.number,
            "label": found.label,
            "confidence": None if found.confidence is None else round(found.confidence, 6),
            "segments": listed(self._segment, thread.refs),
            "submissions": _submissions(found, self._workers),
            "joins": listed(_join, thread.joins),
        }

    def with_support(self) -> Mapping[int, dict[str, Any]]:
        """The same, with the submissions that each track rests on by their ids alone."""
        return _Supported(self)

    def _segment(self, ref: Ref) -> dict[str, Any]:
        track_set = self._inputs[ref[0]]
        decision = self._decided.get(track_set)
        return {"id": ref[0], "frames": list(self._spans[track_set]), "decision": decision, "track": ref[1]}


class _Supported(Mapping[int, dict[str, Any]]):
    def __init__(self, origins: Provenance) -> None:
        self.origins = origins

    def __iter__(self) -> Iterator[int]:
        return iter(self.origins)

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self.origins[number] | {"support": list(self.origins.whole.objects[number].support)}


def _join(join: Join) -> dict[str, Any]:
    said = {"kind": join.kind, "confidence": round(join.confidence, 6), "doubtful": join.doubtful}
    return said | {"left": list(join.left), "right": list(join.right), "decided": join.decided}


def _decisions(track_sets: list[str]) -> dict[str, dict[str, Any]]:
    found = Decision.objects.filter(track_set__in=track_sets).order_by("pk")
    said = found.values_list("track_set_id", "verdict", "by_id", "version")
    known: dict[tuple[str, str, int], dict[str, Any]] = {}  # most are like others
    out = {}
    for track_set, verdict, by, version in said.iterator():
        who = "rule" if by is None else "reviewer"
        out[track_set] = known.setdefault((verdict, who, version), {"verdict": verdict, "by": who, "version": version})
    return out


def _workers(project_id: str, whole: Whole) -> dict[str, str]:
    """The pseudonym behind each submission that supports a track."""
    ids = list({s for found in whole.objects.values() for s in found.support})
    names: dict[str, str] = {}
    workers = {}
    for at in range(0, len(ids), AT_ONCE):
        rows = dict(Assignment.objects.filter(pk__in=ids[at : at + AT_ONCE]).values_list("pk", "worker_id"))
        names |= pseudonyms(project_id, set(rows.values()) - set(names))
        workers |= {seat: names[worker] for seat, worker in rows.items() if worker in names}
    return workers


def _submissions(found: Object, workers: dict[str, str]) -> list[dict[str, str]]:
    return [{"id": s, "worker": workers[s]} for s in sorted(found.support) if s in workers]
