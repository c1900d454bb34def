"""Benchmark scores of submissions that lie inside gold, and what else is known of how well a worker works."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from annotation import recording
from annotation.core.clipping import clip_to
from annotation.models import Project
from annotation.queue import want
from crowd import ghosting, qualifying
from crowd.core.qualification import FOUND_AT
from crowd.core.scoring import benchmark
from crowd.core.skill import Skill
from crowd.lifecycle import FILLED_SEATS, Seat, TaskStatus
from crowd.models import Assignment, Gold, PeerScore, Score, Task
from crowd.models import Skill as SkillRow
from crowd.paying import accept
from crowd.seating import DEAD_BATCHES, policy_of

# Gold keeps pace with one of the last so many real submissions, and looks again whether that is decided.
COMPANIONS = 20
LOOK_AGAIN_S = 5.0
SOON_S = 1.0  # jobs begin no more exactly than this: what is left of a wait is not waited for
MOST_S = 3600.0  # no segment is held up for longer, whatever that tells
# Flags look at many tasks at once, not anew for each.
FLAG_AFTER_S = 20.0
LOOK_AT_GOLD_AFTER_S = 5.0


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
    gold = seat.task.gold
    if gold is None or seat.status not in FILLED_SEATS or seat.track_set is None:
        return None
    policy, training = policy_of(seat.batch), seat.task.status == TaskStatus.TRAINING
    if not training and (gold.from_task_id == seat.task_id and not seat.extra or _known_before(seat, gold)):
        _settle(seat)
        return None
    start, stop = ghosting.unseen(task=seat.task, seats=[seat])
    truth, drawn = clip_to(recording.load(gold.track_set), start, stop), recording.load(seat.track_set)
    floor = FOUND_AT if training else policy.iou_floor
    result = benchmark(drawn, truth, start, stop, floor=floor)
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
    if not training:
        want("look_at_gold", gold.pk, delay_s=LOOK_AT_GOLD_AFTER_S)
        want("keep_gold", seat.batch_id)
    if training:
        qualifying.grade(seat=seat, figures=result.to_json(), drawn=drawn, gold=truth)
    else:
        _settle(seat)
    return written


def _settle(seat: Assignment) -> None:
    """At once where it waits for nothing: a further job would come later than the acceptance of real work."""
    if seat.extra and seat.status == Seat.SUBMITTED:
        settle_extra(assignment_id=seat.pk)


def _known_before(seat: Assignment, gold: Gold) -> bool:
    """Whether the worker met the middle of this segment as gold before: in training, or in a batch that was cancelled.

    Neighbours of one batch share at most a third of their frames.
    """
    middle = (seat.task.segment.start + seat.task.segment.stop) // 2
    earlier = Score.objects.filter(gold=gold, assignment__worker=seat.worker).exclude(assignment=seat)
    shown = earlier.filter(assignment__task__segment__start__lte=middle, assignment__task__segment__stop__gt=middle)
    return shown.exclude(assignment__submitted_at__gt=seat.claimed_at).exists()


def settle_extra(*, assignment_id: str) -> None:
    """Accept an extra gold seat whose score reached the floor, once it waited as long as a real one did.

    So is one that has no score, or one of gold that is in doubt: nobody's pay hangs on what may be wrong.
    """
    seat = Assignment.objects.select_related("score__gold", "batch").annotate(now=Now()).get(pk=assignment_id)
    score = getattr(seat, "score", None)
    failed = score is not None and not score.passed and score.gold.flagged_at is None
    if not (seat.extra and seat.status == Seat.SUBMITTED and seat.submitted_at) or failed:
        return
    if left_s := _left_s(seat, seat.now):
        want("settle_extra", seat.pk, delay_s=left_s)
    else:
        accept(seat=seat)


def left_to_wait(*, task: Task, seats: Sequence[Assignment]) -> float:
    """For how many seconds a task whose seats are filled is not to be judged yet: 0 but for gold.

    Gold is taken first, so its seats fill sooner than others; judged at once, it would tell by its workers' short wait.
    """
    if task.gold_id is None:
        return 0.0
    last = Assignment.objects.select_related("batch").annotate(now=Now()).filter(pk__in=[seat.pk for seat in seats])
    seat = last.latest("submitted_at")
    waited_s = (seat.now - seat.submitted_at).total_seconds()
    return max(0.0, min(_left_s(seat, seat.now), MOST_S - waited_s))


def _left_s(seat: Assignment, now: datetime) -> float:
    """How much longer a submission at gold waits, to have waited as long as its companion."""
    assert seat.submitted_at is not None
    waited_s = (now - seat.submitted_at).total_seconds()
    companion = _companion(seat)
    if companion is None or (companion.decided_at is None and seat.batch.status in DEAD_BATCHES):
        return 0.0
    if companion.decided_at is None:
        return max(LOOK_AGAIN_S, waited_s / 10)
    left_s = (companion.decided_at - companion.submitted_at).total_seconds() - waited_s
    return left_s if left_s > SOON_S else 0.0


def _companion(seat: Assignment) -> Assignment | None:
    """The real submission that one at gold keeps pace with, so that gold settles when real work does and no sooner.

    One of the last that came before it, drawn at random but the same each time; not one that waits for a person.
    """
    real = Assignment.objects.filter(
        batch_id=seat.batch_id, extra=False, task__gold__isnull=True, submitted_at__lte=seat.submitted_at
    )
    going = Q(status=Seat.ACCEPTED) | Q(status=Seat.SUBMITTED, task__status__in=[TaskStatus.OPEN, TaskStatus.FILLED])
    last = list(real.filter(going).order_by("-submitted_at")[:COMPANIONS])
    return min(last, key=lambda one: hashlib.sha256(f"{seat.token}{one.pk}".encode()).digest(), default=None)


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


def forget_skills(*, project_id: str, workers: Collection[str | None]) -> None:
    """What was learnt of those of whom nothing is known any more: all that they did may be somebody else's work."""
    SkillRow.objects.filter(project_id=project_id, worker_id__in=workers).delete()


def proven_in(*, project: Project, workers: Collection[str]) -> set[str]:
    """Those of these workers who passed gold that holds something where they worked, by user id."""
    passed = Score.objects.filter(
        assignment__project=project, assignment__worker__in=workers, passed=True, gold__flagged_at__isnull=True
    )
    rows = passed.values_list("assignment__worker_id", "figures")
    return {w for w, figures in rows if _holds_something(figures)}


def _holds_something(figures: dict[str, Any]) -> bool:
    objects = any(c["objects"] for c in figures.get("counts", {}).values())
    return objects or figures.get("intervals", 0) > 0


def skills_in(*, project: Project, workers: list[str]) -> dict[str, Skill]:
    """What is known of these workers in a project, by user id; an unknown one is left out."""
    rows = SkillRow.objects.filter(project=project, worker_id__in=workers)
    return {row.worker_id: Skill.from_json(row.figures) for row in rows}
