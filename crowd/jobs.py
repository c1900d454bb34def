"""The crowd's machine work: each job loads by id and calls a verb, and may run twice."""

from __future__ import annotations

from django.db import transaction

from annotation.queue import job, sweep, want
from crowd import (
    exposing,
    paying_out,
    prelabelling,
    publishing,
    sanctioning,
    scoring,
    seating,
    seeding,
    suspecting,
    training,
)
from crowd.lifecycle import BatchStatus, PayoutStatus, Seat
from crowd.models import Assignment, Batch, BatchVideo, Payout

AT_ONCE = 500


@job("prepare_video")
def prepare_video_job(subject: str) -> None:
    publishing.prepare_video(batch_video_id=int(subject))


def _give_up_task(subject: str, reason: str) -> None:
    publishing.quarantine_task(task_id=subject, reason=f"The clip of this segment could not be made: {reason}")


@job("open_task", given_up=_give_up_task)
def open_task_job(subject: str) -> None:
    publishing.open_task(task_id=subject)


@job("prepare_training")
def prepare_training_job(subject: str) -> None:
    batch_id, gold_id, number = subject.split(":")
    training.prepare(batch_id=batch_id, gold_id=gold_id, round=int(number))


@job(prelabelling.CUT)
def cut_pre_labels_job(subject: str) -> None:
    prelabelling.cut(pre_labels_id=subject)


@sweep
def cut_what_was_left() -> None:
    with transaction.atomic():
        prelabelling.want_cuts()


@job("score")
def score_job(subject: str) -> None:
    with transaction.atomic():
        scoring.score(assignment_id=subject)


@job("settle_extra")
def settle_extra_job(subject: str) -> None:
    with transaction.atomic():
        scoring.settle_extra(assignment_id=subject)


@job("keep_gold")
def keep_gold_job(subject: str) -> None:
    seeding.keep_extra_seats(batch_id=subject)


@job("look_at_gold")
def look_at_gold_job(subject: str) -> None:
    with transaction.atomic():
        exposing.look(gold_id=subject)


@job("flag_workers")
def flag_workers_job(subject: str) -> None:
    suspecting.flag_workers(project_id=subject)


def _lose_sight(subject: str, reason: str) -> None:
    payout = Payout.objects.get(pk=subject)
    paying_out.lose_sight(payout=payout, reason=f"The orders may have been handed over or not: {reason}")


@job("send_payout", given_up=_lose_sight)
def send_payout_job(subject: str) -> None:
    payout = Payout.objects.get(pk=subject)
    if payout.status != PayoutStatus.SENDING or payout.delivered_at is not None:
        return
    outcomes = paying_out.hand_over(payout=payout)
    with transaction.atomic():
        paying_out.delivered(payout=payout, outcomes=outcomes)


@sweep
def send_what_was_not_handed_over() -> None:
    for pk in Payout.objects.filter(status=PayoutStatus.SENDING, delivered_at=None).values_list("pk", flat=True):
        want("send_payout", pk)


@sweep
def end_lapsed_seats() -> None:
    """Seats whose worker never came back."""
    for seat in Assignment.objects.filter(seating.lapsed())[:AT_ONCE]:
        with transaction.atomic():
            seating.expire(seat)


@sweep
def settle_what_lost_its_gold() -> None:
    """Extra seats of gold that was retired or flagged while they were held: nobody scores them any more."""
    lost = Assignment.objects.filter(extra=True, status=Seat.SUBMITTED, score=None, task__gold=None)
    for seat_id in lost.values_list("pk", flat=True)[:AT_ONCE]:
        want("settle_extra", seat_id)


@sweep
def revoke_what_the_banned_hold() -> None:
    sanctioning.revoke_again()


@sweep
def go_on_with_batches() -> None:
    """Videos that got ready, clips that were not asked for, gold seats that were taken, batches that nobody closed."""
    for row in BatchVideo.objects.filter(live=True, cut=None, video__status="ready")[:AT_ONCE]:
        want("prepare_video", str(row.pk))
    for batch in Batch.objects.filter(status__in=[BatchStatus.OPENING, BatchStatus.OPEN]):
        with transaction.atomic():
            publishing.retry_waiting(batch=batch)
            publishing.advance(batch=batch)
            publishing.close_if_done(batch_id=batch.pk)
        want("keep_gold", batch.pk)
