"""Benchmark scores of submissions that lie inside gold, and what else is known of how well a worker works."""

from __future__ import annotations

import random
from collections.abc import Mapping

from django.db.models import F
from django.db.models.functions import Now

from annotation import recording
from annotation.core.tracks import clip_to
from annotation.models import Project
from annotation.queue import want
from crowd.core.scoring import benchmark
from crowd.core.skill import Skill
from crowd.lifecycle import FILLED_SEATS, Seat
from crowd.models import Assignment, PeerScore, Score
from crowd.models import Skill as SkillRow
from crowd.paying import accept
from crowd.seating import policy_of

# Where no real seat of the batch was decided yet, an extra one waits about this long.
USUAL_WAIT_S = 30.0
# Flags look at many tasks at once, not anew for each.
FLAG_AFTER_S = 20.0
_chance = random.SystemRandom()


def want_scores(*, task_id: str) -> None:
    """Ask for the scores of a task's submissions that lie inside gold and have none."""
    unscored = Assignment.objects.filter(
        task=task_id, task__gold__isnull=False, status__in=FILLED_SEATS, score__isnull=True
    )
    for seat_id in unscored.values_list("pk", flat=True):
        want("score", seat_id)


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


def keep_skills(*, project_id: str, skills: Mapping[str, Skill]) -> None:
    """Keep what was learnt of workers, by user id."""
    for worker_id, skill in skills.items():
        values = {"mean": skill.mean, "low": skill.low, "high": skill.high, "figures": skill.to_json()}
        SkillRow.objects.update_or_create(
            project_id=project_id, worker_id=worker_id, defaults=values | {"computed_at": Now()}
        )
    want("flag_workers", project_id, delay_s=FLAG_AFTER_S)


def skills_in(*, project: Project, workers: list[str]) -> dict[str, Skill]:
    """What is known of these workers in a project, by user id; an unknown one is left out."""
    rows = SkillRow.objects.filter(project=project, worker_id__in=workers)
    return {row.worker_id: Skill.from_json(row.figures) for row in rows}
