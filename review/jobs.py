"""The review floor's machine work: each job loads by id and calls a verb, and may run twice."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef

from annotation.queue import job, sweep, want
from crowd import completing, publishing, scoring
from crowd.lifecycle import LIVE_SEATS, TaskStatus
from crowd.models import Assignment, Batch, Task
from crowd.seating import LIVE_BATCHES
from review import adopting, deciding, exporting, learning, measuring, reconciling, releasing, renewing, stitching
from review.lifecycle import ConsensusStatus, WorkStatus
from review.models import Consensus, Export, Join, Release

AT_ONCE = 500


def _give_up_task(subject: str, reason: str) -> None:
    publishing.quarantine_task(task_id=subject, reason=f"The consensus of this segment could not be made: {reason}")


@job("reconcile", given_up=_give_up_task)
def reconcile_job(subject: str) -> None:
    with transaction.atomic():
        scoring.want_scores(task_id=subject)
    reconciling.reconcile(task_id=subject)
    renewing.mark_stale_around(task_id=subject)


def _keep_what_there_is(subject: str, _: str) -> None:
    renewing.give_up(task_id=subject)


@job("renew_consensus", given_up=_keep_what_there_is)
def renew_consensus_job(subject: str) -> None:
    renewing.renew(task_id=subject)
    # What changed while it was made found it stale already, and marked nothing.
    renewing.mark_stale(pk=subject)


@job("adopt_gold")
def adopt_gold_job(subject: str) -> None:
    adopting.adopt_gold(task_id=subject)


@job("stitch_video")
def stitch_video_job(subject: str) -> None:
    stitching.stitch_video(video_id=subject)
    stitching.ask(video_id=subject)


@job("learn_skills")
def learn_skills_job(subject: str) -> None:
    learning.learn_skills(project_id=subject)
    renewing.mark_stale(project_id=subject)


@job("measure_agreement")
def measure_agreement_job(subject: str) -> None:
    measuring.measure(project_id=subject)


def _fail_release(subject: str, reason: str) -> None:
    releasing.fail_release(release_id=subject, reason=reason)


@job("build_release", given_up=_fail_release)
def build_release_job(subject: str) -> None:
    releasing.build_release(release_id=subject)


def _fail_export(subject: str, reason: str) -> None:
    exporting.fail_export(export_id=subject, reason=reason)


@job("write_export", given_up=_fail_export)
def write_export_job(subject: str) -> None:
    exporting.write_export(export_id=subject)


sweep(exporting.forget_drafts)


@sweep
def review_what_was_asked_in_vain() -> None:
    """Tasks that wait for one more worker where everybody has been already."""
    for batch in Batch.objects.filter(status__in=LIVE_BATCHES):
        for task_id in completing.asked_in_vain(batch):
            with transaction.atomic():
                deciding.stop_asking(task_id=task_id)


@sweep
def judge_what_was_left() -> None:
    """Tasks without live seats that no job is at, and releases and exports that were never made."""
    live = Assignment.objects.filter(task=OuterRef("pk"), extra=False, status__in=LIVE_SEATS)
    waiting = Task.objects.filter(~Exists(live), status__in=[TaskStatus.OPEN, TaskStatus.FILLED])
    for task_id in waiting.values_list("pk", flat=True)[:AT_ONCE]:
        want("reconcile", task_id)
    stale = Consensus.objects.filter(status=ConsensusStatus.STALE, task__status=TaskStatus.IN_REVIEW)
    for task_id in stale.values_list("task_id", flat=True)[:AT_ONCE]:
        want("renew_consensus", task_id)
    for release_id in Release.objects.filter(status=WorkStatus.BUILDING).values_list("pk", flat=True)[:AT_ONCE]:
        want("build_release", release_id)
    for export_id in Export.objects.filter(status=WorkStatus.BUILDING).values_list("pk", flat=True)[:AT_ONCE]:
        want("write_export", export_id)


@sweep
def ask_no_more_about_cancelled_batches() -> None:
    """Doubtful joins of what is in no release any more."""
    asked = Join.objects.filter(doubtful=True, same=None).exclude(left_segment__cut__batch_video__live=True)
    for video_id in asked.order_by().values_list("video_id", flat=True).distinct()[:AT_ONCE]:
        want("stitch_video", video_id)
