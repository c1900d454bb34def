"""A batch's budget, changed while it runs."""

from __future__ import annotations

from annotation.models import Project, User
from annotation.templatetags.figures import money
from crowd import publishing
from crowd.errors import BudgetIsHeld, WrongState
from crowd.lifecycle import BatchStatus
from crowd.models import Batch, BudgetChange
from crowd.seating import LIVE_BATCHES, held_micros, policy_of


def change(*, batch: Batch, budget_micros: int | None, by: User) -> None:
    """Let a batch's seats cost so much, None for without bound; tasks that waited for money are tried again.

    The rest of its policy stays that of its launch. WrongState once it is over, BudgetIsHeld for less than the
    project's seats hold already, which no later word could give back.
    """
    publishing.retry_waiting(batch=batch)
    # Locked in this order, as by whoever opens seats: what they hold stays as it is until the budget is another.
    Project.objects.select_for_update(no_key=True).get(pk=batch.project_id)
    batch = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    policy = policy_of(batch)
    before, held = policy.budget_micros, held_micros(project=batch.project_id)
    if budget_micros is not None and budget_micros < held and (before is None or budget_micros < before):
        raise BudgetIsHeld(f"The seats that are open, held, submitted or accepted hold {money(held, policy.currency)}.")
    rows = Batch.objects.filter(pk=batch.pk, status__in=(*LIVE_BATCHES, BatchStatus.PAUSED))
    if not rows.update(policy={**batch.policy, "budget_micros": budget_micros}):
        raise WrongState(f"This batch is {batch.status}.")
    BudgetChange.objects.create(batch=batch, before_micros=before, after_micros=budget_micros, by=by)
    publishing.advance(batch=batch)
