"""Payouts: drafted, locked, handed to a provider, and settled by what it says.

A line holds ledger entries, each entry in one live line at most, which a constraint keeps. What its provider said to be
paid becomes a ledger entry of its own; what failed frees its entries for the next payout. Every move is one
conditional UPDATE, and what has happened already is refused or happens no second time.

Locks are taken in one order: project, payout, lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from django.db.models.functions import Now

from annotation.models import Project, User
from crowd.core.money import payable
from crowd.errors import NothingToPay, WrongState
from crowd.lifecycle import PAYOUT_MOVES, SENT_LINES, EntryKind, PayoutStatus
from crowd.models import LedgerEntry, Payout, PayoutItem, PayoutLine, PayoutStep
from crowd.providers.interface import Order, Outcome
from crowd.providers.registry import PROVIDERS

P = PayoutStatus
AT_ONCE = 1000


class NotReached(Exception):
    """A provider did not answer."""


def draft(*, project: Project, by: User | None, provider: str = "file") -> Payout:
    """A payout that holds nothing yet."""
    made = Payout.objects.create(project=project, provider=provider, created_by=by)
    _log(made, "", P.DRAFT, by=by)
    return made


def lock(*, payout: Payout, by: User | None) -> int:
    """Compute the lines from the ledger, once. WrongState where it is no draft, NothingToPay where nobody is owed.

    Returns how many lines there are. Who owes more than they are owed gets no line, and the debt waits. Of an amount
    only whole coins are paid; the rest is carried over.
    """
    # Two payouts of a project are locked one after the other, so that the second sees what the first one holds.
    Project.objects.select_for_update(no_key=True).get(pk=payout.project_id)
    _move(payout, P.LOCKED, by=by, locked_at=Now())
    owed: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for pk, worker, currency, amount in free_entries(payout.project_id):
        owed.setdefault((worker, currency), []).append((pk, amount))
    lines = 0
    for (worker, currency), entries in sorted(owed.items()):
        lines += _lock_line(payout, worker, currency, entries)
    if not lines:
        raise NothingToPay
    made = PayoutLine.objects.filter(payout=payout)
    _log_lines(payout, [(pk, "") for pk in made.values_list("pk", flat=True)], P.LOCKED, by=by)
    return lines


def free_entries(project_id: str) -> QuerySet[LedgerEntry, Any]:
    """What of a project's ledger no live payout holds, as (id, worker, currency, amount)."""
    held = PayoutItem.objects.filter(entry=OuterRef("pk"), live=True)
    free = LedgerEntry.objects.filter(~Exists(held), project=project_id, worker__erased_at=None)
    free = free.exclude(kind=EntryKind.PAYOUT).exclude(amount_micros=0)
    return free.order_by("pk").values_list("pk", "worker_id", "currency", "amount_micros")


def _lock_line(payout: Payout, worker: str, currency: str, entries: Sequence[tuple[str, int]]) -> bool:
    total = sum(amount for _, amount in entries)
    amount = payable(total, currency)
    if amount == 0:
        return False
    line = PayoutLine.objects.create(payout=payout, worker_id=worker, currency=currency, amount_micros=amount)
    ids = [pk for pk, _ in entries]
    if total > amount:
        ids.append(_carry_over(line, total - amount))
    PayoutItem.objects.bulk_create([PayoutItem(line=line, entry_id=pk) for pk in ids], batch_size=AT_ONCE)
    return True


def _carry_over(line: PayoutLine, micros: int) -> str:
    """Take what is less than a coin out of a line, by two entries: one in the line, its opposite free for the next."""
    said = {"project_id": line.payout.project_id, "worker_id": line.worker_id, "currency": line.currency}
    said |= {"kind": EntryKind.CARRY, "reference": line.reference}
    taken = LedgerEntry.objects.create(amount_micros=-micros, **said)
    LedgerEntry.objects.create(amount_micros=micros, **said)
    return taken.pk


def send(*, payout: Payout, by: User | None) -> None:
    """From now on the lines count as with the provider; a job of kind `send_payout` hands them over."""
    _move(payout, P.SENDING, by=by, sent_at=Now())
    _move_lines(payout, _ids(payout, P.LOCKED), P.LOCKED, P.SENDING, by=by)


def cancel(*, payout: Payout, by: User | None, reason: str) -> None:
    """End a payout that nobody was sent; what it held is free for the next."""
    if payout.status not in (P.DRAFT, P.LOCKED):
        raise WrongState(f"This payout is {payout.status}; only what was not sent yet can be cancelled.")
    _move(payout, P.FAILED, by=by, reason=reason, settled_at=Now())
    _move_lines(payout, _ids(payout, P.LOCKED), P.LOCKED, P.FAILED, by=by, reasons=reason)


def hand_over(*, payout: Payout) -> Sequence[Outcome]:
    """Call the provider with all that is under way. Outside of any transaction: nothing is written here. NotReached."""
    under_way = orders(payout, P.SENDING)
    try:
        return PROVIDERS[payout.provider].send(under_way)
    except OSError as error:  # a job would wait for that as for files that are away
        raise NotReached(f"the provider {payout.provider} could not be reached: {error}") from error


def delivered(*, payout: Payout, outcomes: Iterable[Outcome]) -> None:
    """Note that the provider took the orders, and what it told at once."""
    Payout.objects.filter(pk=payout.pk, delivered_at=None).update(delivered_at=Now())
    sent = {line.reference: line.status for line in payout.lines.filter(status__in=SENT_LINES)}
    settle(payout=payout, outcomes=[o for o in outcomes if o.reference in sent], by=None)


def lose_sight(*, payout: Payout, reason: str, by: User | None = None) -> None:
    """Nobody knows what became of the lines under way: they are unknown until a statement tells."""
    _lock_payout(payout)
    _move_lines(payout, _ids(payout, P.SENDING), P.SENDING, P.UNKNOWN, by=by, reasons=reason)
    _close(payout, by=by, reason=reason)


def settle(*, payout: Payout, outcomes: Sequence[Outcome], by: User | None) -> int:
    """Move lines to what became of them; how many moved. What is settled alike already stays; see `clearing`."""
    _lock_payout(payout)
    moved = 0
    lines = {line.reference: line for line in payout.lines.filter(status__in=SENT_LINES)}
    for before in SENT_LINES:
        told = [o for o in outcomes if o.reference in lines and lines[o.reference].status == before]
        paid = [lines[o.reference] for o in told if o.paid]
        failed = {lines[o.reference].pk: o.reason or "the provider says that it failed" for o in told if not o.paid}
        _move_lines(payout, [line.pk for line in paid], before, P.PAID, by=by, settled_at=Now())
        _enter(payout, paid)
        _move_lines(payout, list(failed), before, P.FAILED, by=by, reasons=failed)
        moved += len(told)
    _close(payout, by=by)
    return moved


def orders(payout: Payout, *statuses: str) -> list[Order]:
    """The lines of a payout as a provider takes them; all of them, or those in some states."""
    lines = payout.lines.select_related("worker").order_by("reference")
    if statuses:
        lines = lines.filter(status__in=statuses)
    return [
        Order(line.reference, line.worker.username, line.worker.email, line.currency, line.amount_micros)
        for line in lines
    ]


def _enter(payout: Payout, lines: Sequence[PayoutLine]) -> None:
    entries = [
        LedgerEntry(
            worker_id=line.worker_id,
            project_id=payout.project_id,
            kind=EntryKind.PAYOUT,
            amount_micros=-line.amount_micros,
            currency=line.currency,
            reference=line.reference,
        )
        for line in lines
    ]
    LedgerEntry.objects.bulk_create(entries, batch_size=AT_ONCE)


def _lock_payout(payout: Payout) -> None:
    """Lines are settled one statement after the other, so that whoever settles the last one knows that it is."""
    payout.status = Payout.objects.select_for_update(no_key=True).values_list("status", flat=True).get(pk=payout.pk)


def _close(payout: Payout, *, by: User | None, reason: str = "") -> None:
    """Give a payout the state of its lines, once none is under way."""
    lines = PayoutLine.objects.filter(payout=OuterRef("pk"))
    under_way, unknown = Exists(lines.filter(status=P.SENDING)), Exists(lines.filter(status=P.UNKNOWN))
    paid = Exists(lines.filter(status=P.PAID))
    ends = Case(When(unknown, then=Value(P.UNKNOWN)), When(paid, then=Value(P.PAID)), default=Value(P.FAILED))
    rows = Payout.objects.filter(~under_way, pk=payout.pk, status__in=SENT_LINES)
    (now,) = rows.annotate(ends=ends).values_list("ends", flat=True) or (payout.status,)
    if now == payout.status:
        return
    settled = {} if now == P.UNKNOWN else {"settled_at": Now()}
    _move(payout, now, by=by, reason=reason, **settled)


def _move(payout: Payout, to: str, *, by: User | None, reason: str = "", **values: Any) -> None:
    """One conditional UPDATE and its step. WrongState where the payout is no longer as the caller knows it."""
    before = payout.status
    known = Payout.objects.filter(pk=payout.pk, status=before)
    if to not in PAYOUT_MOVES[before] or not known.update(status=to, reason=reason, **values):
        raise WrongState(f"This payout is {before}, or was moved at the same moment; it cannot be {to} now.")
    payout.status = to
    _log(payout, before, to, by=by, reason=reason)


def _ids(payout: Payout, status: str) -> list[str]:
    return list(PayoutLine.objects.filter(payout=payout, status=status).order_by("pk").values_list("pk", flat=True))


def _move_lines(
    payout: Payout, ids: Sequence[str], before: str, to: str, *, by: User | None, reasons: Any = "", **values: Any
) -> None:
    """Conditional UPDATEs of lines that all are in one state. `reasons` are by line id, or one for all."""
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        why = reasons
        if isinstance(reasons, dict):
            why = Case(*(When(pk=pk, then=Value(reasons[pk])) for pk in some))
        if to == P.FAILED:
            values["settled_at"] = Now()
        known = PayoutLine.objects.filter(pk__in=some, payout=payout, status=before)
        if known.update(status=to, reason=why, **values) != len(some):
            raise WrongState("Some lines of this payout were moved at the same moment.")
        if to == P.FAILED:
            PayoutItem.objects.filter(line__in=some).update(live=False)
    _log_lines(payout, [(pk, before) for pk in ids], to, by=by, reasons=reasons)


def _log(payout: Payout, before: str, to: str, *, by: User | None, reason: str = "") -> None:
    PayoutStep.objects.create(payout=payout, from_status=before, to_status=to, by=by, reason=reason)


def _log_lines(
    payout: Payout, lines: Iterable[tuple[str, str]], to: str, *, by: User | None, reasons: Any = ""
) -> None:
    rows = [
        PayoutStep(
            payout=payout,
            line_id=pk,
            from_status=before,
            to_status=to,
            by=by,
            reason=reasons[pk] if isinstance(reasons, dict) else reasons,
        )
        for pk, before in lines
    ]
    PayoutStep.objects.bulk_create(rows, batch_size=AT_ONCE)
