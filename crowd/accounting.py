"""What the ledger says: of a worker's money over all projects, of a project's money by worker, and to whom it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Sum

from annotation.models import Project, User
from crowd.lifecycle import EntryKind, PayoutStatus
from crowd.models import Dispute, LedgerEntry, Payout, PayoutItem, PayoutLine, PayoutStep

UNDER_WAY = (PayoutStatus.LOCKED, PayoutStatus.SENDING, PayoutStatus.UNKNOWN)
#: The kinds of entry as their worker reads them.
WORDS = {
    EntryKind.ACCRUAL: "Accepted work",
    EntryKind.REVERSAL: "Taken back",
    EntryKind.BONUS: "Bonus",
    EntryKind.PAYOUT: "Paid out",
    EntryKind.CARRY: "Less than a coin, kept for the next payout",
}


def balances(*, workers: Iterable[str], project: Project | None = None) -> dict[str, list[dict[str, Any]]]:
    """Of each worker, per currency: earned, paid, under way in a payout, and due. Everything is counted from rows."""
    entries = LedgerEntry.objects.filter(worker__in=workers)
    lines = PayoutLine.objects.filter(worker__in=workers, status__in=UNDER_WAY)
    if project is not None:
        entries, lines = entries.filter(project=project), lines.filter(payout__project=project)
    earned = Sum("amount_micros", filter=~Q(kind=EntryKind.PAYOUT), default=0)
    paid = Sum("amount_micros", filter=Q(kind=EntryKind.PAYOUT), default=0)
    sums = entries.order_by().values_list("worker", "currency").annotate(earned=earned, paid=paid)
    moving = lines.order_by().values_list("worker", "currency").annotate(sum=Sum("amount_micros"))
    under_way = {(worker, currency): amount for worker, currency, amount in moving}
    found: dict[str, list[dict[str, Any]]] = {}
    for worker, currency, plus, minus in sorted(sums):
        body = {"currency": currency, "earned_micros": plus, "paid_micros": -minus}
        body["under_way_micros"] = under_way.get((worker, currency), 0)
        body["due_micros"] = plus + minus - body["under_way_micros"]
        found.setdefault(worker, []).append(body)
    return found


def earnings(worker: User) -> QuerySet[LedgerEntry]:
    """A worker's entries over all projects, each with the payout line that it is in."""
    return _with_lines(LedgerEntry.objects.filter(worker=worker))


def ledger(project: Project) -> QuerySet[LedgerEntry]:
    return _with_lines(LedgerEntry.objects.filter(project=project))


def paid_for(project: Project, *, worker: str = "") -> QuerySet[LedgerEntry]:
    """Accruals and bonuses, newest first, of one worker by name or of all; `taken_back` says which no longer count."""
    rows = ledger(project).filter(kind__in=(EntryKind.ACCRUAL, EntryKind.BONUS))
    if worker:
        rows = rows.filter(worker__username=worker.replace("\0", ""))
    work = Q(assignment=OuterRef("assignment"), round=OuterRef("round"))
    reversals = LedgerEntry.objects.filter(work | Q(reverses=OuterRef("pk")), kind=EntryKind.REVERSAL)
    return rows.annotate(taken_back=Exists(reversals)).order_by("-created_at", "pk")


def _with_lines(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    live = PayoutItem.objects.filter(live=True).select_related("line")
    items = Prefetch("payout_items", queryset=live, to_attr="live_items")
    return entries.select_related("project", "assignment", "worker", "by").prefetch_related(items)


def earning_body(entry: LedgerEntry) -> dict[str, Any]:
    """An entry as its worker reads it: nobody's name is in it."""
    seat = entry.assignment
    reason = entry.reason or (seat.reason if seat and entry.kind == EntryKind.REVERSAL else "")
    return {
        "id": entry.pk,
        "kind": entry.kind,
        "words": WORDS[entry.kind],
        "amount_micros": entry.amount_micros,
        "currency": entry.currency,
        "project": entry.project.name,
        "assignment": entry.assignment_id,
        "reason": reason,
        "state": _state(entry),
        "reference": _reference(entry) or entry.reference,
        "at": entry.created_at,
    }


def _state(entry: LedgerEntry) -> str:
    """Whether an entry is `due`, `under_way` in a payout, or `paid`; a payout is what pays."""
    if entry.kind == EntryKind.PAYOUT:
        return "paid"
    lines = [item.line for item in entry.live_items]  # type: ignore[attr-defined]
    if not lines:
        return "due"
    return "paid" if lines[0].status == PayoutStatus.PAID else "under_way"


def _reference(entry: LedgerEntry) -> str:
    items = entry.live_items  # type: ignore[attr-defined]
    return items[0].line.reference if items else ""


def entry_body(entry: LedgerEntry) -> dict[str, Any]:
    """An entry as a manager reads it."""
    names = {"user": entry.worker.username, "by": entry.by.username if entry.by else None}
    return earning_body(entry) | names | {"reverses": entry.reverses_id}


def owed_to(project: Project) -> QuerySet[User]:
    """Everybody with an entry in a project's ledger."""
    return User.objects.filter(Exists(LedgerEntry.objects.filter(worker=OuterRef("pk"), project=project)))


def payout_body(payout: Payout) -> dict[str, Any]:
    """A payout with its lines counted by state and summed by currency; of a draft, what it would pay is in balances."""
    return payout_bodies([payout])[0]


def payout_bodies(payouts: Sequence[Payout]) -> list[dict[str, Any]]:
    """Those of several, by as many questions as for one."""
    lines = PayoutLine.objects.filter(payout__in=payouts).order_by().values_list("payout", "status", "currency")
    sums: dict[str, list[tuple[str, str, int, int]]] = {payout.pk: [] for payout in payouts}
    for payout_id, *found in lines.annotate(sum=Sum("amount_micros"), n=Count("pk")):
        sums[payout_id].append((found[0], found[1], found[2], found[3]))
    return [_payout_body(payout, sums[payout.pk]) for payout in payouts]


def _payout_body(payout: Payout, sums: list[tuple[str, str, int, int]]) -> dict[str, Any]:
    """`sums`: status, currency, micros and how many lines."""
    states = dict.fromkeys(("locked", "sending", "paid", "failed", "unknown"), 0)
    totals: dict[str, dict[str, Any]] = {}
    for status, currency, amount, count in sums:
        states[status] += count
        total = totals.setdefault(currency, {"currency": currency, "amount_micros": 0, "paid_micros": 0})
        total["amount_micros"] += amount
        total["paid_micros"] += amount if status == PayoutStatus.PAID else 0
    return {
        "id": payout.pk,
        "project": payout.project_id,
        "status": payout.status,
        "provider": payout.provider,
        "reason": payout.reason,
        "lines": states,
        "totals": [totals[currency] for currency in sorted(totals)],
        "created_by": payout.created_by.username if payout.created_by else None,
    } | {name: getattr(payout, name) for name in ("created_at", "locked_at", "sent_at", "settled_at")}


def payout_detail(payout: Payout) -> dict[str, Any]:
    """With every move of the payout itself, oldest first."""
    steps = PayoutStep.objects.filter(payout=payout, line=None).select_related("by").order_by("pk")
    return payout_body(payout) | {"steps": [_step(step) for step in steps]}


def _step(step: PayoutStep) -> dict[str, Any]:
    said = {"from": step.from_status, "to": step.to_status, "reason": step.reason, "at": step.at}
    return said | {"by": step.by.username if step.by else None}


def line_body(line: PayoutLine) -> dict[str, Any]:
    names = ("id", "currency", "amount_micros", "reference", "status", "reason", "settled_at")
    return {name: getattr(line, name) for name in names} | {"user": line.worker.username}


def dispute_body(dispute: Dispute, *, names: bool) -> dict[str, Any]:
    """A dispute; who is who in it is for managers alone."""
    body = {
        "id": dispute.pk,
        "assignment": dispute.assignment_id,
        "project": dispute.project.name,
        "status": dispute.status,
        "reason": dispute.reason,
        "answer": dispute.answer,
        "created_at": dispute.created_at,
        "answered_at": dispute.answered_at,
    }
    if not names:
        return body
    by = dispute.answered_by.username if dispute.answered_by else None
    return body | {"user": dispute.worker.username, "answered_by": by, "work": dispute.assignment.status}
