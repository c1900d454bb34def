"""What must always be true of the crowd's rows, as SQL that finds the rows of which it is not.

Each name is a sentence; each query returns the offenders, and on a healthy database nothing. `manage.py invariants`
runs them, and so does the suite after every test that touches the database.
"""

from __future__ import annotations

from django.db import connection

from crowd.invariants_of_money import DISPUTES, PAYOUTS
from crowd.lifecycle import COSTING_SEATS, FILLED_SEATS, LIVE_SEATS, SEAT_MOVES, Seat

AT_MOST = 20


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


# What became of the seats that a task opened with. Once it was done, seats that end are not followed: a task that was
# done early and is opened again has the seats that it is given then.
COUNTED = _list((*LIVE_SEATS, *FILLED_SEATS, Seat.WITHDRAWN))
COSTING = _list(COSTING_SEATS)
MOVES = ", ".join(f"'{a}>{b}'" for a, to in SEAT_MOVES.items() for b in to)
FIRST_SEATS = """CASE WHEN CAST(b.policy ->> 'adaptive' AS text) IN ('true', '1')
    AND CAST(b.policy ->> 'redundancy' AS integer) > 2 THEN 2 ELSE CAST(b.policy ->> 'redundancy' AS integer) END"""

SEATS: dict[str, str] = {
    "a worker sits at a task once": """
        SELECT task_id, worker_id FROM crowd_assignment WHERE worker_id IS NOT NULL
        GROUP BY task_id, worker_id HAVING COUNT(*) > 1""",
    "what a worker drew belongs to one seat": """
        SELECT s.id FROM annotation_trackset s LEFT JOIN crowd_assignment a ON a.track_set_id = s.id
        WHERE s.source = 'worker' GROUP BY s.id HAVING COUNT(a.id) <> 1""",
    "a submission is its worker's own and lies in its segment": """
        SELECT a.id FROM crowd_assignment a JOIN annotation_trackset s ON s.id = a.track_set_id
        JOIN crowd_task t ON t.id = a.task_id JOIN annotation_segment g ON g.id = t.segment_id
        WHERE s.author_id <> a.worker_id OR s.start <> g.start OR s.stop <> g.stop OR s.video_id <> g.video_id""",
    "a token is one seat's": """
        SELECT token FROM crowd_assignment WHERE token IS NOT NULL GROUP BY token HAVING COUNT(*) > 1""",
    "nobody holds more than the policy allows": """
        SELECT a.worker_id, a.project_id FROM crowd_assignment a JOIN crowd_batch b ON b.id = a.batch_id
        WHERE a.status = 'held' GROUP BY a.worker_id, a.project_id
        HAVING COUNT(*) > MAX(CAST(b.policy ->> 'max_held' AS integer))""",
    "a seat is of its task's batch and project": """
        SELECT a.id FROM crowd_assignment a JOIN crowd_task t ON t.id = a.task_id
        WHERE a.batch_id <> t.batch_id OR a.project_id <> t.project_id""",
    "what came too late counts only by a manager's word": """
        SELECT r.id FROM crowd_transition r JOIN crowd_assignment a ON a.id = r.assignment_id
        LEFT JOIN crowd_latebody l ON l.assignment_id = a.id
        WHERE r.from_status IN ('expired', 'revoked') AND (r.actor_id IS NULL OR l.salvaged_at IS NULL)""",
    "a rejection has a person and a reason": """
        SELECT id FROM crowd_transition WHERE to_status = 'rejected' AND (reason = '' OR actor_id IS NULL)""",
}
LOG: dict[str, str] = {
    "a seat is taken and submitted by who sits there": """
        SELECT r.id FROM crowd_transition r JOIN crowd_assignment a ON a.id = r.assignment_id
        WHERE (r.to_status = 'held' OR (r.from_status = 'held' AND r.to_status = 'submitted'))
        AND (r.actor_id IS NULL OR r.actor_id <> a.worker_id)""",
    "the log ends where the seat is": """
        SELECT a.id, a.status FROM crowd_assignment a WHERE a.status <> COALESCE((SELECT r.to_status
        FROM crowd_transition r WHERE r.assignment_id = a.id ORDER BY r.id DESC LIMIT 1), 'nothing')""",
    "the log has no gaps": """
        SELECT id FROM (SELECT id, from_status,
            COALESCE(LAG(to_status) OVER (PARTITION BY assignment_id ORDER BY id), '') AS before FROM crowd_transition
        ) moves WHERE from_status <> before""",
    "seats move as the table says": f"""
        SELECT id, from_status, to_status FROM crowd_transition
        WHERE (from_status = '' AND to_status <> 'open')
        OR (from_status <> '' AND from_status || '>' || to_status NOT IN ({MOVES}))""",  # noqa: S608  constants of ours
}
TASKS: dict[str, str] = {
    "a task has no more seats than were asked for": f"""
        SELECT t.id, COUNT(a.id) FROM crowd_task t JOIN crowd_batch b ON b.id = t.batch_id
        JOIN crowd_assignment a ON a.task_id = t.id AND NOT a.extra AND a.status IN ({COSTING})
        GROUP BY t.id, t.asked, b.policy
        HAVING COUNT(a.id) > CAST(b.policy ->> 'max_redundancy' AS integer) + t.asked""",  # noqa: S608  constants of ours
    "no seat of an open task was lost": f"""
        SELECT t.id FROM crowd_task t JOIN crowd_batch b ON b.id = t.batch_id
        WHERE t.status = 'open' AND t.done_at IS NULL AND {FIRST_SEATS} > (SELECT COUNT(*) FROM crowd_assignment a
        WHERE a.task_id = t.id AND NOT a.extra AND a.status IN ({COUNTED}))""",  # noqa: S608  constants of ours
    "seats are open at open tasks alone": """
        SELECT a.id, t.status FROM crowd_assignment a JOIN crowd_task t ON t.id = a.task_id
        WHERE a.status = 'open' AND ((NOT a.extra AND t.status <> 'open')
        OR (a.extra AND (t.gold_id IS NULL OR t.status IN ('opening', 'cancelled', 'quarantined'))))""",
    "a batch that is over gives out nothing": """
        SELECT a.id, b.status FROM crowd_assignment a JOIN crowd_batch b ON b.id = a.batch_id
        WHERE a.status = 'open' AND b.status IN ('done', 'cancelled')""",
    "a training task has a gold and nobody's real seat": """
        SELECT t.id FROM crowd_task t LEFT JOIN crowd_trainingtask g ON g.task_id = t.id
        WHERE (t.status = 'training') <> (g.task_id IS NOT NULL) OR (t.status = 'training' AND (t.gold_id IS NULL
        OR EXISTS (SELECT 1 FROM crowd_assignment a WHERE a.task_id = t.id AND (NOT a.extra OR a.status = 'open'))))""",
    "nobody sits at a filled task": """
        SELECT a.id FROM crowd_assignment a JOIN crowd_task t ON t.id = a.task_id
        WHERE t.status IN ('filled', 'in_review') AND NOT a.extra AND a.status IN ('open', 'held')""",
    "a done batch has no task left": """
        SELECT t.id, t.status FROM crowd_task t JOIN crowd_batch b ON b.id = t.batch_id
        WHERE b.status = 'done' AND t.status NOT IN ('done', 'quarantined', 'training')""",
    "a cancelled batch has no task under way": """
        SELECT t.id, t.status FROM crowd_task t JOIN crowd_batch b ON b.id = t.batch_id
        WHERE b.status = 'cancelled' AND t.status NOT IN ('done', 'quarantined', 'cancelled', 'training')""",
}
PEOPLE: dict[str, str] = {
    "a seat in training is a trial of its worker's": """
        SELECT a.id FROM crowd_assignment a JOIN crowd_trainingtask g ON g.task_id = a.task_id
        LEFT JOIN crowd_trial t ON t.assignment_id = a.id LEFT JOIN crowd_qualification q ON q.id = t.qualification_id
        WHERE t.assignment_id IS NULL OR q.worker_id <> a.worker_id OR q.project_id <> a.project_id""",
    "nobody trained for a gold that was scored in the stream before they saw it there": """
        SELECT s.assignment_id FROM crowd_score s JOIN crowd_assignment a ON a.id = s.assignment_id
        JOIN crowd_task t ON t.id = a.task_id JOIN crowd_trial r ON r.gold_id = s.gold_id
        JOIN crowd_assignment m ON m.id = r.assignment_id AND m.worker_id = a.worker_id AND m.id <> a.id
        JOIN crowd_task tt ON tt.id = m.task_id JOIN annotation_segment x ON x.id = t.segment_id
        JOIN annotation_segment y ON y.id = tt.segment_id
        WHERE t.status <> 'training' AND m.submitted_at < a.claimed_at
        AND x.start = y.start AND x.stop = y.stop""",
    "who was banned holds nothing": """
        SELECT a.id FROM crowd_assignment a JOIN crowd_sanction s ON s.project_id = a.project_id
        AND s.worker_id = a.worker_id AND s.lifted_at IS NULL AND s.kind = 'banned'
        WHERE a.status = 'held' AND a.claimed_at < s.created_at""",
}
MONEY: dict[str, str] = {
    "an accepted submission is paid once, and nothing else is": """
        SELECT a.id, a.status, COALESCE(SUM(l.amount_micros), 0) FROM crowd_assignment a
        LEFT JOIN crowd_ledgerentry l ON l.assignment_id = a.id AND l.kind IN ('accrual', 'reversal')
        GROUP BY a.id, a.status, a.reward_micros
        HAVING SUM(CASE l.kind WHEN 'accrual' THEN 1 WHEN 'reversal' THEN -1 ELSE 0 END)
            <> CASE a.status WHEN 'accepted' THEN 1 ELSE 0 END
        OR COALESCE(SUM(l.amount_micros), 0) <> CASE a.status WHEN 'accepted' THEN a.reward_micros ELSE 0 END""",
    "who worked is who is paid": """
        SELECT l.id FROM crowd_ledgerentry l JOIN crowd_assignment a ON a.id = l.assignment_id
        WHERE l.worker_id <> a.worker_id OR l.project_id <> a.project_id""",
    "a balance is below zero only by a recorded debt": """
        SELECT worker_id, currency FROM crowd_ledgerentry GROUP BY worker_id, currency
        HAVING SUM(amount_micros) < 0 AND SUM(CASE kind WHEN 'reversal' THEN 0 ELSE amount_micros END) < 0""",
    "the budget is never passed": f"""
        SELECT b.project_id FROM crowd_batch b GROUP BY b.project_id
        HAVING COUNT(*) = COUNT(b.policy ->> 'budget_micros')
        AND MAX(CAST(b.policy ->> 'budget_micros' AS bigint)) < (SELECT COALESCE(SUM(a.reward_micros), 0)
            FROM crowd_assignment a WHERE a.project_id = b.project_id AND a.status IN ({COSTING}))""",  # noqa: S608  constants of ours
}
REQUESTS: dict[str, str] = {
    "a key that is kept has its answer": """
        SELECT id FROM annotation_idempotencykey WHERE status IS NULL""",
}
INVARIANTS: dict[str, str] = SEATS | LOG | TASKS | PEOPLE | MONEY | PAYOUTS | DISPUTES | REQUESTS


def broken() -> dict[str, list[tuple[object, ...]]]:
    """The sentences that are not true at this moment, each with some of the rows that say so."""
    found = {}
    with connection.cursor() as cursor:
        for sentence, query in INVARIANTS.items():
            cursor.execute(query)
            if rows := cursor.fetchmany(AT_MOST):
                found[sentence] = rows
    return found
