"""The one door to django-q2, and what makes its jobs safe: rows of our own, leases, tokens and counted attempts.

A Job row is written in the transaction of the state that wants it. On commit a message wakes a worker; when it is lost,
an idle worker finds the row within seconds. A worker takes a job by one conditional UPDATE and commits the attempt
before it starts, so that a job that kills its worker is given up after three; a heartbeat renews the lease meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Greatest, Least, Now
from django.utils.module_loading import autodiscover_modules
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task

from annotation import clock, planning, storing
from annotation.ids import new_id
from annotation.lifecycle import JobStatus
from annotation.models import Job

LEASE_S = 20
BEAT_S = 5
# No job beats longer than this: what hangs for ever is given to somebody else, and given up in the end.
LONGEST_S = 6 * 3600
MAX_ATTEMPTS = 3
DONE_KEPT = timedelta(days=7)
RETRY_S = 2
# Where files cannot be reached or written, no job is at fault: it waits for as long as it has waited, within these.
AWAY_S, AWAY_WITHIN = (2.0, 300.0), timedelta(days=1)
RUN = "annotation.queue.run"
log = logging.getLogger("trackweave.queue")

# Whoever can sign a message runs code in a worker, so that key signs nothing else.
Conf.SECRET_KEY = settings.QUEUE_KEY

Handler = Callable[[str], None]
GivenUp = Callable[[str, str], None]


class Stopping(BaseException):
    """This worker has to stop in the middle of a job; no fault of the job, so it counts as no attempt."""


@dataclass(frozen=True)
class Kind:
    """What is done for one kind of job."""

    handler: Handler
    given_up: GivenUp | None


KINDS: dict[str, Kind] = {}
SWEEPS: list[Callable[[], object]] = []


def job(kind: str, *, given_up: GivenUp | None = None) -> Callable[[Handler], Handler]:
    """Registers the handler of `kind`, which is called with the subject's id and may be called twice.

    `given_up(subject, reason)` is called in the transaction that quarantines the job.
    """

    def register(handler: Handler) -> Handler:
        if kind in KINDS and KINDS[kind].handler is not handler:
            raise ValueError(f"two handlers want the jobs of kind {kind!r}")
        KINDS[kind] = Kind(handler, given_up)
        return handler

    return register


def sweep(heal: Callable[[], object]) -> Callable[[], object]:
    """Registers a function that, once a minute, finds and mends what a lost notice left behind."""
    SWEEPS.append(heal)
    return heal


# An existing row is locked by the touch: it starts after this transaction has committed, and sees what it wrote.
WANT = """INSERT INTO annotation_job (id, kind, subject, status, queued_key, attempts, reason, wanted_at, not_before)
    VALUES (%(id)s, %(kind)s, %(subject)s, 'queued', %(key)s, 0, '', {now}, {start})
    ON CONFLICT (queued_key) DO UPDATE SET
        wanted_at = excluded.wanted_at, not_before = {least}(annotation_job.not_before, excluded.not_before)"""


def want(kind: str, subject: str, *, delay_s: float = 0) -> None:
    """A job of `kind` for `subject`, from the caller's transaction on; one that is queued already is the same job.

    A delayed one starts no earlier than after `delay_s`, unless it is wanted again for an earlier moment.
    """
    key = _key(kind, subject)
    words = {"id": new_id(), "kind": kind, "subject": subject, "key": key, "delay_s": delay_s}
    least = "MIN" if connection.vendor == "sqlite" else "LEAST"
    with planning.cursor() as cursor:
        cursor.execute(WANT.format(now=clock.now(), start=clock.later("delay_s"), least=least), words)
    if not delay_s:
        transaction.on_commit(lambda: wake(key), robust=True)


def wake(key: str) -> None:
    """Tells the workers that there is something to do. A message that is lost costs a second or two, no job."""
    async_task(RUN, key)


def run(key: str) -> bool:
    """Does the job that is queued as `key`, if it is due and nobody else was first."""
    taken = _take(key)
    if taken is None:
        return False
    kind = _kinds().get(taken.kind)
    try:
        if kind is None:
            raise LookupError(f"nobody handles jobs of kind {taken.kind!r}")
        with _heartbeat(taken):
            kind.handler(taken.subject)
    except Stopping:
        _requeue(_held(taken), taken, attempts=taken.attempts - 1, not_before=Now())
        raise
    except Exception as error:
        log.exception("job %s of %s failed", taken.kind, taken.subject)
        _put_back(taken, f"{type(error).__name__}: {error}", away=storing.is_away(error))
        return True
    _held(taken).update(status=JobStatus.DONE, finished_at=Now(), reason="", **NO_LEASE)
    return True


def run_due() -> bool:
    """Does the job that has been due for longest, if there is one."""
    due = Job.objects.filter(status=JobStatus.QUEUED, not_before__lte=Now()).order_by("not_before")
    # The first may be taken by somebody else in the meantime, so a few are tried.
    return any(run(key) for key in list(due.values_list("queued_key", flat=True)[:5]))


def work_off() -> int:
    """Does all due jobs, and those that they want, in this process; how many there were. For demos and tests."""
    done = 0
    while run_due():
        done += 1
    return done


def receive() -> str | None:
    """Waits a moment for a message and returns the key in it. It leaves the queue at once: rows are the truth."""
    broker = get_broker()
    for receipt, package in broker.dequeue() or ():
        broker.acknowledge(receipt)
        try:
            message = SignedPackage.loads(package)
        except (TypeError, BadSignature):
            log.warning("a message on the queue is not signed by us; it is dropped")
            continue
        if message["func"] == RUN:
            return message["args"][0]
    return None


def reclaim() -> int:
    """Puts back the jobs whose worker was lost, and gives up those that lose every worker; how many there were."""
    lapsed = list(Job.objects.filter(status=JobStatus.RUNNING, lease_until__lt=Now())[:100])
    for lost in lapsed:
        _put_back(lost, "the process that did it ended in the middle, or hung", lapsed=True)
    return len(lapsed)


def forget() -> int:
    """Deletes the jobs that were done long ago; how many there were. Those that were given up stay."""
    return Job.objects.filter(status=JobStatus.DONE, finished_at__lt=Now() - DONE_KEPT).delete()[0]


def sweep_all() -> None:
    """All that is looked at once a minute; one sweep that fails hinders no other."""
    _kinds()
    for heal in (reclaim, forget, *SWEEPS):
        try:
            heal()
        except Exception:
            log.exception("the sweep %s failed", getattr(heal, "__qualname__", heal))


NO_LEASE = {"token": None, "lease_until": None}


def _key(kind: str, subject: str) -> str:
    return f"{kind}:{subject}"


def _in(seconds: float) -> ExpressionWrapper:
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def _kinds() -> dict[str, Kind]:
    autodiscover_modules("jobs")
    return KINDS


def _take(key: str) -> Job | None:
    token = new_id()
    found = Job.objects.filter(queued_key=key).values_list("pk", flat=True).first()
    due = Job.objects.filter(pk=found, status=JobStatus.QUEUED, not_before__lte=Now())
    taken = due.update(
        status=JobStatus.RUNNING,
        queued_key=None,
        token=token,
        lease_until=_in(LEASE_S),
        attempts=F("attempts") + 1,
        started_at=Now(),
    )
    return Job.objects.get(pk=found) if taken else None


def _held(taken: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=taken.pk, status=JobStatus.RUNNING, token=taken.token)


def _put_back(taken: Job, reason: str, *, lapsed: bool = False, away: bool = False) -> None:
    """Queues `taken` again after a wait that grows, or quarantines it; nothing if it is no longer this worker's."""
    reason = reason.replace("\0", "")[:2000]
    with transaction.atomic():
        ours = _held(taken).filter(lease_until__lt=Now()) if lapsed else _held(taken)
        if away and (waited := taken.waited()) < AWAY_WITHIN:
            wait_s = min(max(waited.total_seconds(), AWAY_S[0]), AWAY_S[1])
            _requeue(ours, taken, attempts=taken.attempts - 1, not_before=_in(wait_s), reason=reason)
            return
        if taken.attempts >= MAX_ATTEMPTS:
            told = f"Given up after {taken.attempts} attempts. The last one: {reason}"
            moved = ours.update(status=JobStatus.QUARANTINED, finished_at=Now(), reason=told, **NO_LEASE)
            if moved:
                _give_up(taken, told)
            return
        wait = _in(RETRY_S * 4 ** (taken.attempts - 1))
        _requeue(ours, taken, attempts=taken.attempts, not_before=wait, reason=reason)


def _give_up(taken: Job, reason: str) -> None:
    """Tell whoever wanted the job. What goes wrong there is no reason to keep it: it would end every worker in turn."""
    kind = _kinds().get(taken.kind)
    try:
        with transaction.atomic():
            if kind and kind.given_up:
                kind.given_up(taken.subject, reason)
    except (OperationalError, InterfaceError):  # the database's trouble: whoever reclaims the job tries again
        raise
    except Exception:
        log.exception("nobody could be told that job %s of %s was given up", taken.kind, taken.subject)


def _requeue(ours: QuerySet[Job], taken: Job, *, reason: str = "", **again: Any) -> None:
    """`again`: the attempts that count, and not_before."""
    key = _key(taken.kind, taken.subject)
    queued = {"status": JobStatus.QUEUED, "queued_key": key, "reason": reason, **again}
    try:
        with transaction.atomic():
            ours.update(**queued, **NO_LEASE)
    except IntegrityError:
        # It was wanted again while it ran: the fresh row goes on with our count, age and wait: none is tried for ever.
        if ours.update(status=JobStatus.DONE, finished_at=Now(), reason=f"Left to the next one. {reason}", **NO_LEASE):
            most = {name: Greatest(F(name), again[name]) for name in ("attempts", "not_before")}
            since = Least(F("created_at"), taken.created_at)
            Job.objects.filter(queued_key=key).update(created_at=since, **most)


class _heartbeat:
    """Renews the lease of a job, in a thread of its own, while the block goes on."""

    def __init__(self, taken: Job) -> None:
        self.taken = taken
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._beat, name=f"heartbeat-{taken.pk}", daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _beat(self) -> None:
        try:
            for _ in range(int(LONGEST_S / BEAT_S)):
                if self.over.wait(BEAT_S) or not self._renewed():
                    return
        finally:
            connection.close()

    def _renewed(self) -> bool:
        try:
            return _held(self.taken).update(lease_until=_in(LEASE_S)) > 0
        except OperationalError:
            log.warning("the lease of job %s could not be renewed; trying again", self.taken.pk)
            connection.close()  # a lost one stays lost; the next beat makes another
            return True
