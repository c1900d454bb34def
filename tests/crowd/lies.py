"""For each invariant a lie that it must find: rows changed behind the back of the verbs, in a small world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from annotation.models import IdempotencyKey
from crowd import models, paying, paying_out
from crowd.core.policies import from_json
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, LedgerEntry, Task, Transition
from tests import cast
from tests.crowd import stage

REWARD = 20_000
Lie = str | Callable[[Assignment], object]


def worked() -> Assignment:
    """Wanda's seat, accepted and being paid, beside an open one, in a project with a budget."""
    batch = stage.launched(frames=20, reward_micros=REWARD, budget_micros=9 * REWARD)
    worker = cast.client("Wanda")
    claimed = stage.claim(worker, batch.project)
    stage.submit(worker, claimed)
    seat = Assignment.objects.get(pk=claimed["id"])
    paying.accept(seat=seat)
    with transaction.atomic():
        payout = paying_out.draft(project=batch.project, by=None)
        paying_out.lock(payout=payout, by=None)
        paying_out.send(payout=payout, by=None)
    return seat


def tell(lie: Lie, seat: Assignment) -> None:
    unguarded()
    if callable(lie):
        lie(seat)
        return
    with connection.cursor() as cursor:
        cursor.execute(lie)


def unguarded() -> None:
    """Take the ledger's triggers away until the end of the test, so that lies can be told in it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # No table is altered while its deferred constraints still wait.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE crowd_ledgerentry DISABLE TRIGGER USER")
            return
        for name in ("the_ledger_is_never_changed", "the_ledger_forgets_nothing"):
            cursor.execute(f"DROP TRIGGER {name}")


def will_claims(seat: Assignment) -> Assignment:
    return Assignment.objects.get(pk=stage.claim(cast.client("Will"), seat.project)["id"])


def moved(seat: Assignment, before: str, after: str, **how: Any) -> None:
    Transition.objects.create(assignment=seat, project_id=seat.project_id, from_status=before, to_status=after, **how)


def entered(seat: Assignment, kind: str, micros: int, **how: Any) -> LedgerEntry:
    who = {"worker": seat.worker, "project_id": seat.project_id, "currency": "EUR", "reason": "because"}
    return LedgerEntry.objects.create(kind=kind, amount_micros=micros, **who | how)


def policy(seat: Assignment, **changes: Any) -> None:
    Batch.objects.update(policy=stage.policy_of(seat) | changes)


def one_token_for_two(seat: Assignment) -> None:
    will_claims(seat)
    Assignment.objects.filter(status=Seat.HELD).update(token=seat.token)


def more_held_than_allowed(seat: Assignment) -> None:
    will_claims(seat)
    policy(seat, max_held=0)


def a_seat_lost(seat: Assignment) -> None:
    Transition.objects.filter(assignment__status=Seat.OPEN).delete()
    Assignment.objects.filter(status=Seat.OPEN).delete()


def a_bonus_half_taken_back(seat: Assignment) -> None:
    entered(seat, "reversal", -50, reverses=entered(seat, "bonus", 100))


def gold(seat: Assignment) -> models.Gold:
    segment = seat.task.segment
    where = {"video": segment.video, "start": segment.start, "stop": segment.stop}
    return models.Gold.objects.create(project_id=seat.project_id, track_set=stage.drawn(seat), **where)


def held_by_the_banned(seat: Assignment) -> None:
    worker = will_claims(seat).worker
    models.Sanction.objects.create(project_id=seat.project_id, worker=worker, kind="banned", reason="sloppy")


def in_training_without_a_trial(seat: Assignment) -> None:
    models.TrainingTask.objects.create(task=seat.task, batch_id=seat.batch_id, gold=gold(seat))


def scored_on_what_they_trained_for(seat: Assignment) -> None:
    known = gold(seat)
    project, rules = seat.project, models.Policy.objects.get(project=seat.project)
    stage.launch(project, cast.video(project, 20), from_json(rules.values))
    claimed = stage.claim(cast.client("Wanda"), project)
    assert stage.submit(cast.client("Wanda"), claimed).status_code == 200
    models.Score.objects.create(assignment_id=claimed["id"], gold=known, value=1.0, passed=True, figures={})
    qualification = models.Qualification.objects.create(project=project, worker=seat.worker)
    models.Trial.objects.create(assignment=seat, qualification=qualification, gold=known, attempt=1)


def disputed(seat: Assignment, by: str) -> None:
    models.Dispute.objects.create(
        project_id=seat.project_id, assignment=seat, worker=cast.user(by), reason="I drew them all"
    )


def a_key_without_an_answer(seat: Assignment) -> None:
    IdempotencyKey.objects.create(user=seat.worker, method="POST", path="/", key="k", body_sha256="0" * 64)


def paid_to_another(seat: Assignment) -> None:
    LedgerEntry.objects.filter(assignment=seat).update(worker=cast.user("Will"))


def of_another_project(seat: Assignment) -> None:
    Assignment.objects.filter(status=Seat.OPEN).update(project=cast.project(name="Other"))


LIES: dict[str, Lie] = {
    "what a worker drew belongs to one seat": stage.drawn,
    "a submission is its worker's own and lies in its segment": "UPDATE annotation_trackset SET stop = stop + 1",
    "a token is one seat's": one_token_for_two,
    "nobody holds more than the policy allows": more_held_than_allowed,
    "a seat is of its task's batch and project": of_another_project,
    "what came too late counts only by a manager's word": lambda seat: moved(seat, "expired", "submitted"),
    "a rejection has a person and a reason": lambda seat: moved(seat, "accepted", "rejected"),
    "a seat is taken and submitted by who sits there": "UPDATE crowd_transition SET actor_id = NULL",
    "the log ends where the seat is": "UPDATE crowd_assignment SET status = 'submitted' WHERE status = 'accepted'",
    "the log has no gaps": "DELETE FROM crowd_transition WHERE to_status = 'submitted'",
    "seats move as the table says": lambda seat: moved(seat, "open", "accepted"),
    "a task has no more seats than were asked for": lambda seat: policy(seat, max_redundancy=1),
    "no seat of an open task was lost": a_seat_lost,
    "seats are open at open tasks alone": lambda seat: Task.objects.update(status="done", done_at=Now()),
    "a batch that is over gives out nothing": "UPDATE crowd_batch SET status = 'cancelled'",
    "a training task has a gold and nobody's real seat": "UPDATE crowd_task SET status = 'training'",
    "nobody sits at a filled task": "UPDATE crowd_task SET status = 'filled'",
    "a done batch has no task left": "UPDATE crowd_batch SET status = 'done'",
    "a cancelled batch has no task under way": "UPDATE crowd_batch SET status = 'cancelled'",
    "a seat in training is a trial of its worker's": in_training_without_a_trial,
    "nobody trained for a gold that was scored in the stream before they saw it there": scored_on_what_they_trained_for,
    "who was banned holds nothing": held_by_the_banned,
    "an accepted submission is paid once, and nothing else is": "UPDATE crowd_ledgerentry SET amount_micros = 1",
    "who worked is who is paid": paid_to_another,
    "a balance is below zero only by a recorded debt": lambda seat: entered(
        seat, "payout", -REWARD - 1, reference="TWX"
    ),
    "the budget is never passed": lambda seat: policy(seat, budget_micros=2 * REWARD - 1),
    "what is live is what did not fail": "UPDATE crowd_payoutitem SET live = false",
    "a line pays what its entries sum to": "UPDATE crowd_payoutline SET amount_micros = amount_micros + 1",
    "a line pays its own worker, in its own currency, for its own project": (
        "UPDATE crowd_payoutline SET currency = 'USD'"
    ),
    "what was paid is in the ledger, and nothing else is": (
        "UPDATE crowd_payoutline SET status = 'paid', settled_at = CURRENT_TIMESTAMP"
    ),
    "whatever was paid out had a line": lambda seat: entered(seat, "payout", -1, reference="TWX"),
    "what is carried over is neither made nor lost": lambda seat: entered(seat, "carry", 5, reference="TWX"),
    "a payout is where its lines are": "UPDATE crowd_payout SET status = 'locked'",
    "a payout that is under way has something under way": "UPDATE crowd_payoutline SET status = 'unknown'",
    "a bonus is taken back in full": a_bonus_half_taken_back,
    "payouts move as the table says": "UPDATE crowd_payoutstep SET from_status = 'paid' WHERE from_status <> ''",
    "the steps of a payout end where it is": "UPDATE crowd_payout SET status = 'unknown'",
    "the steps of a line end where it is": "UPDATE crowd_payoutline SET status = 'unknown'",
    "what is accepted is not disputed": lambda seat: disputed(seat, "Wanda"),
    "a dispute is about one's own work": lambda seat: disputed(seat, "Will"),
    "a key that is kept has its answer": a_key_without_an_answer,
}


def wanda_sits_twice(seat: Assignment) -> None:
    will_claims(seat)
    Assignment.objects.filter(status=Seat.HELD).update(worker=seat.worker)


def paid_by_two_payouts(seat: Assignment) -> None:
    (item,) = models.PayoutItem.objects.all()
    second = paying_out.draft(project=seat.project, by=None)
    line = models.PayoutLine.objects.create(payout=second, worker=seat.worker, currency="EUR", amount_micros=REWARD)
    models.PayoutItem.objects.create(line=line, entry=item.entry)


#: What no lie can be told about: the database refuses it.
REFUSED: dict[str, Lie] = {
    "a worker sits at a task once": wanda_sits_twice,
    "an entry is in one live payout at most": paid_by_two_payouts,
}
