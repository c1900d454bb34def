"""From a task's submissions to its consensus, and what follows: acceptance by rule, one more seat, or a reviewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from django.db import transaction

from annotation import recording
from annotation.core.likeness import soft_f
from annotation.core.tracks import Tracks, fill
from annotation.lifecycle import Source
from annotation.queue import want
from crowd import completing, ghosting, paying, scoring
from crowd.core.policies import Policy
from crowd.core.stopping import Judged, seats_wanted, why_more
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Task
from crowd.seating import has_live_seats, lock_task, policy_of
from review.core.agreeing import timed
from review.core.consensus import METHOD, VERSION, Submission, make_consensus
from review.core.consensus import Consensus as Made
from review.core.difficulty import HARD, difficulty
from review.deciding import accept_by_rule
from review.grading import scores_with
from review.lifecycle import ConsensusStatus, Verdict, Withheld
from review.models import Build, Consensus
from review.voicing import Voices, listen
from review.witnessing import Around, around

# Skills are learnt from many tasks at once, not anew for each: the more there are, the less each adds, so the work that
# learning takes over a whole project grows with the logarithm of its tasks.
LEARN_AFTER_S, LEARN_S_PER_TASK, LEARN_WITHIN_S = 2.0, 0.3, 600.0
IN_USE = f"{METHOD} {VERSION}"
KNOWN_BY = 5  # tasks from which it is known what somebody's lone drawings are worth


def reconcile(*, task_id: str) -> None:
    """Judge a task once all its seats are filled. Safe to die anywhere, to run twice and to run too early.

    The arithmetic runs outside of any transaction; what it led to is written only if its inputs are still the same.
    """
    task = Task.objects.select_related("batch", "segment__video", "project").get(pk=task_id)
    if task.status in (TaskStatus.DONE, TaskStatus.CANCELLED):
        _settle_late(task)
        return
    if task.status not in (TaskStatus.OPEN, TaskStatus.FILLED):
        return
    seats = completing.submissions_of(task)
    if has_live_seats(task):
        return
    if not seats:
        _begin_anew(task_id)
        return
    if left_s := scoring.left_to_wait(task=task, seats=seats):
        want("reconcile", task_id, delay_s=left_s)
        return
    policy = policy_of(task.batch)
    found = consent(task, seats)
    peers = peer_scores(task, seats, found.voices)
    with transaction.atomic():
        task = lock_task(task_id)
        completing.fill(task=task)
        if task.status != TaskStatus.FILLED:
            return
        if [s.pk for s in completing.submissions_of(task)] != [s.pk for s in seats]:
            want("reconcile", task_id)
            return
        scoring.note_peers(scores=peers)
        judged = _judge(task, found)
        wanted = why_more(policy=policy, judged=judged, submissions=found.trusted)
        more = seats_wanted(policy=policy, judged=judged, submissions=found.trusted)
        consensus = write(task, seats, found, wanted=wanted)
        opened = _ask_more(task, consensus, wanted, min(more, policy.max_redundancy - len(seats)))
        _conclude(task, consensus, policy, found.trusted, opened)
        want("learn_skills", task.project_id, delay_s=_learn_after_s(task.project_id))


@transaction.atomic
def _begin_anew(task_id: str) -> None:
    task = lock_task(task_id)
    completing.fill(task=task)
    completing.begin_anew(task=task)


@dataclass(frozen=True)
class Consent:
    """A consensus before it is written: who was heard, how many of them have a say, what each vote weighs (1 where
    nothing is known of the worker), and the names of what was heard beside them, of its neighbours."""

    made: Made
    heard: tuple[Submission, ...]
    trusted: int
    weights: dict[str, float]
    voices: Voices
    beside: tuple[str, ...] = ()


def consent(task: Task, seats: list[Assignment]) -> Consent:
    """What a task's submissions make together, by what is known of the workers now."""
    voices = listen(task=task, seats=seats)
    heard = voices.heard(submissions(task, seats))
    policy = policy_of(task.batch)
    beside = around(task, _alone) if len(seats) > 1 else Around()
    made = _merge(task, heard, beside.tracks)
    if policy.ghosts or voices.echoes:
        made = replace(made, scores=scores_with(task=task, seats=seats, tracks=made.tracks))
    trusted = [s.id for s in heard if has_a_say(s)] or [s.id for s in heard]
    made = replace(made, agreement=fmean(made.scores[i] for i in trusted))
    return Consent(made, tuple(heard), len(trusted), weights_of(heard), voices, beside.sources)


def _merge(task: Task, heard: list[Submission], beside: Sequence[Tracks] = ()) -> Made:
    """As `evaluate` does it: who is known by several tasks may be believed in what nobody else drew."""
    quorum, lone = policy_of(task.batch).quorum_share, all(s.skill and s.skill.tasks >= KNOWN_BY for s in heard)
    return make_consensus(heard, task.segment.start, task.segment.stop, quorum=quorum, lone=lone, around=beside)


def _alone(task: Task, seats: list[Assignment]) -> Tracks | None:
    """What a task's submissions make with no regard to its neighbours; one person's word is no witness."""
    heard = [s for s in listen(task=task, seats=seats).heard(submissions(task, seats)) if has_a_say(s)]
    return _merge(task, heard).tracks if len(heard) > 1 else None


def _learn_after_s(project_id: str) -> float:
    return learn_after_s(Task.objects.filter(project_id=project_id, consensus__isnull=False).count())


def learn_after_s(judged: int) -> float:
    """How long a project of so many judged tasks waits for more of them before its skills are learnt anew."""
    return min(LEARN_WITHIN_S, LEARN_AFTER_S + LEARN_S_PER_TASK * judged)


def submissions(task: Task, seats: list[Assignment]) -> list[Submission]:
    """Rows as the consensus takes them, with what is known of each worker."""
    skills = scoring.skills_in(project=task.project, workers=[s.worker_id for s in seats if s.worker_id])
    return [
        Submission(s.pk, s.worker_id or "", recording.load(s.track_set), skills.get(s.worker_id or ""))
        for s in seats
        if s.track_set is not None
    ]


def has_a_say(submission: Submission) -> bool:
    """Whether anything is to be had from a worker. Those who draw what nobody else sees would pull every agreement
    down, and each task that they touch to the most workers and a reviewer, although nothing of theirs counts."""
    return submission.skill is None or submission.skill.weight > 0


def peer_scores(task: Task, seats: list[Assignment], voices: Voices) -> dict[str, float]:
    """How like each submission is to the consensus of the others (soft F); nothing where there are no others.

    Who copied from each other is no witness for each other.
    """
    given = submissions(task, seats)
    start, stop = task.segment.start, task.segment.stop
    fair = ghosting.unseen(task=task, seats=seats)
    scores = {}
    for one in given:
        if others := voices.others(given, one):
            scores[one.id] = soft_f(one.tracks, make_consensus(others, start, stop).tracks, *fair)
    return scores


def heard_now(task: Task, seats: list[Assignment]) -> dict[str, float]:
    """What the votes of a task's submissions weigh by what is known of the workers now."""
    return weights_of(listen(task=task, seats=seats).heard(submissions(task, seats)))


def weights_of(heard: list[Submission]) -> dict[str, float]:
    """What each vote weighs, by submission; 1 where nothing is known of the worker."""
    return {s.id: 1.0 if s.skill is None else s.skill.weight for s in heard}


def write(task: Task, seats: list[Assignment], found: Consent, *, wanted: str = "") -> Consensus:
    """A new build, unless the current one was made of the same inputs in the same way. It waits for a verdict either
    way, also where the one more that a reviewer asked for brought nothing that counts."""
    consensus, _ = Consensus.objects.get_or_create(
        task=task,
        defaults={"batch_id": task.batch_id, "video_id": task.segment.video_id, "segment_id": task.segment_id},
    )
    made, inputs = found.made, [s.pk for s in seats]
    current = Build.objects.filter(consensus=consensus, version=consensus.version).first()
    of = (inputs, IN_USE, found.weights, list(found.beside))
    same = current and (current.inputs, current.method, current.weights, current.beside) == of
    if same and consensus.status != ConsensusStatus.STALE:
        rejected = Consensus.objects.filter(pk=consensus.pk, status=ConsensusStatus.REJECTED)
        if rejected.update(status=ConsensusStatus.PENDING):
            consensus.refresh_from_db()
        return consensus
    track_set = recording.store(tracks=made.tracks, video=task.segment.video, source=Source.CONSENSUS)
    build = Build.objects.create(
        consensus=consensus,
        version=consensus.version + 1,
        track_set=track_set,
        method=IN_USE,
        inputs=inputs,
        scores=made.scores,
        agreement=made.agreement,
        confidence=made.confidence,
        gain=made.gain,
        wanted=wanted,
        weights=found.weights,
        beside=list(found.beside),
    )
    filled = fill(made.tracks.tracks, made.tracks.start, made.tracks.stop)
    now = {
        "version": build.version,
        "track_set": track_set,
        "agreement": made.agreement,
        "confidence": made.confidence,
        "difficulty": difficulty(filled, made.agreement),
    }
    undecided = Consensus.objects.filter(pk=consensus.pk).exclude(status=ConsensusStatus.ACCEPTED)
    undecided.update(status=ConsensusStatus.PENDING, **now)
    consensus.refresh_from_db()
    return consensus


def _judge(task: Task, found: Consent) -> Judged:
    made, workers = found.made, {s.worker for s in found.heard}
    proven = scoring.proven_in(project=task.project, workers=workers) >= workers
    events = timed(made.tracks, (s.tracks for s in found.heard))
    empty = not made.tracks.tracks and not events
    return Judged(made.agreement, made.gain, empty=empty, proven=proven, timed=events)


def _ask_more(task: Task, consensus: Consensus, wanted: str, more: int) -> int:
    """Open `more` seats at a filled task, as many as can be had. What kept one that was `wanted` is kept with a build.

    What a reviewer rejected gets the workers that they asked for.
    """
    rejected, hard = _was_rejected(consensus), (consensus.difficulty or 0.0) >= HARD
    opened = 0 if rejected or more <= 0 else completing.ask_more(task=task, seats=more, hard=hard)
    if wanted and not opened:
        bound = Withheld.MAX_REDUNDANCY if more <= 0 else Withheld.BUDGET
        build = Build.objects.filter(consensus=consensus, version=consensus.version)
        build.update(wanted=wanted, withheld=Withheld.VERDICT if rejected else bound)
    return opened


def _was_rejected(consensus: Consensus) -> bool:
    return consensus.decisions.filter(verdict=Verdict.REJECT).exists()


def _conclude(task: Task, consensus: Consensus, policy: Policy, trusted: int, opened: int) -> None:
    """What to do with a filled task: wait for who sits down at the seats that were opened, the rule, or a person.

    What a reviewer rejected once is never accepted by rule: they saw something that agreement did not.
    """
    if opened:
        return
    enough = trusted >= min(policy.first_seats, policy.max_redundancy)
    if enough and (consensus.agreement or 0.0) >= policy.agreement_floor and not _was_rejected(consensus):
        accept_by_rule(consensus=consensus, task=task)
        return
    completing.send_to_review(task=task)


def _settle_late(task: Task) -> None:
    """Submissions that came after their task was decided are paid by the same rule as the others."""
    consensus = Consensus.objects.filter(task=task, status=ConsensusStatus.ACCEPTED).first()
    if consensus is None or consensus.track_set is None:
        return
    accepted = recording.load(consensus.track_set)
    with transaction.atomic():
        late = [s for s in completing.submissions_of(task) if s.status == Seat.SUBMITTED]
        paying.settle(task=task, scores=scores_with(task=task, seats=late, tracks=accepted))
