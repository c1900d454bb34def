"""Benchmark scores of submissions that lie inside gold, and the skill that follows from all evidence of a worker."""

from __future__ import annotations

import random
from collections.abc import Mapping

from django.db.models import F
from django.db.models.functions import Now

from annotation import recording
from annotation.core.tracks import clip_to
from annotation.models import Project, User
from annotation.queue import want
from crowd.core import skill as skills
from crowd.core.scoring import benchmark
from crowd.lifecycle import FILLED_SEATS, Seat
from crowd.models import Assignment, PeerScore, Score, Skill
from crowd.paying import accept
from crowd.seating import policy_of

# Where no real seat of the batch was decided yet, an extra one waits about this long.
USUAL_WAIT_S = 30.0
_chance = random.SystemRandom()


def score(*, assignment_id: str) -> Score | None:
    """Score one submission against the gold that its segment lies inside. Safe to run twice; newer gold replaces."""
    seat = Assignment.objects.select_related("task__gold__track_set", "task__segment", "batch", "track_set").get(
        pk=assignment_id
    )
    gold, segment = seat.task.gold, seat.task.segment
    if gold is None or seat.status not in FILLED_SEATS or seat.track_set is None:
        return None
    policy = policy_of(seat.batch)
    truth = clip_to(recording.load(gold.track_set), segment.start, segment.stop)
    result = benchmark(recording.load(seat.track_set), truth, segment.start, segment.stop, floor=policy.iou_floor)
    value = result.soft_track_f
    written, _ = Score.objects.update_or_create(
        assignment=seat,
        defaults={
            "gold": gold,
            "value": value,
            "passed": value >= policy.gold_floor,
            "figures": result.to_json(),
            "created_at": Now(),
        },
    )
    update_skill(project=seat.project, worker=seat.worker)
    if seat.extra and seat.status == Seat.SUBMITTED:
        want("settle_extra", seat.pk, delay_s=_usual_wait_s(seat))
    return written


def settle_extra(*, assignment_id: str) -> None:
    """Accept an extra gold seat whose score reached the floor."""
    seat = Assignment.objects.select_related("score", "batch").get(pk=assignment_id)
    if seat.extra and seat.status == Seat.SUBMITTED and seat.score.passed:
        accept(seat=seat)


def _usual_wait_s(seat: Assignment) -> float:
    """How long one of this batch's decided real submissions waited, drawn at random: gold must not settle apart."""
    decided = Assignment.objects.filter(batch_id=seat.batch_id, extra=False, status=Seat.ACCEPTED)
    waits = decided.order_by("-decided_at").annotate(wait=F("decided_at") - F("submitted_at"))
    found = list(waits.values_list("wait", flat=True)[:100])
    if not found:
        return _chance.expovariate(1 / USUAL_WAIT_S)
    return max(0.0, _chance.choice(found).total_seconds())


def note_peers(*, scores: Mapping[str, float]) -> None:
    """Keep how far submissions (by assignment id) agree with the consensus of the others."""
    for seat_id, value in scores.items():
        PeerScore.objects.update_or_create(assignment_id=seat_id, defaults={"value": value, "computed_at": Now()})


def update_skill(*, project: Project, worker: User | None) -> None:
    """Estimate a worker's skill in a project anew, from all their scores."""
    if worker is None:
        return
    mine = Assignment.objects.filter(project=project, worker=worker)
    gold = list(mine.filter(score__isnull=False).values_list("score__figures", flat=True))
    peers = list(mine.filter(peer_score__isnull=False).values_list("peer_score__value", flat=True))
    estimate = skills.estimate_from_figures(gold=gold, peers=peers)
    Skill.objects.update_or_create(
        project=project,
        worker=worker,
        defaults={
            "mean": estimate.mean,
            "low": estimate.low,
            "high": estimate.high,
            "figures": estimate.to_json(),
            "computed_at": Now(),
        },
    )


def skills_in(*, project: Project, workers: list[str]) -> dict[str, skills.Skill]:
    """What is known of these workers in a project, by user id; an unknown one is left out."""
    rows = Skill.objects.filter(project=project, worker_id__in=workers)
    return {row.worker_id: skills.Skill.from_json(row.figures) for row in rows}
