"""What must always be true of payouts and disputes; see `invariants`."""

from __future__ import annotations

from crowd.lifecycle import PAYOUT_MOVES

MOVES = ", ".join(f"'{a}>{b}'" for a, to in PAYOUT_MOVES.items() for b in to)

PAYOUTS: dict[str, str] = {
    "an entry is in one live payout at most": """
        SELECT entry_id FROM crowd_payoutitem WHERE live GROUP BY entry_id HAVING COUNT(*) > 1""",
    "what is live is what did not fail": """
        SELECT i.id, l.status FROM crowd_payoutitem i JOIN crowd_payoutline l ON l.id = i.line_id
        WHERE (CASE WHEN i.live THEN 1 ELSE 0 END) <> (CASE l.status WHEN 'failed' THEN 0 ELSE 1 END)""",
    "a line pays what its entries sum to": """
        SELECT l.id, l.amount_micros FROM crowd_payoutline l LEFT JOIN crowd_payoutitem i ON i.line_id = l.id
        LEFT JOIN crowd_ledgerentry e ON e.id = i.entry_id
        GROUP BY l.id, l.amount_micros HAVING COALESCE(SUM(e.amount_micros), 0) <> l.amount_micros""",
    "a line pays its own worker, in its own currency, for its own project": """
        SELECT i.id FROM crowd_payoutitem i JOIN crowd_payoutline l ON l.id = i.line_id
        JOIN crowd_payout p ON p.id = l.payout_id JOIN crowd_ledgerentry e ON e.id = i.entry_id
        WHERE e.worker_id <> l.worker_id OR e.currency <> l.currency OR e.project_id <> p.project_id
        OR e.kind = 'payout'""",
    "what was paid is in the ledger, and nothing else is": """
        SELECT l.reference, l.status, COUNT(e.id) FROM crowd_payoutline l JOIN crowd_payout p ON p.id = l.payout_id
        LEFT JOIN crowd_ledgerentry e ON e.reference = l.reference AND e.kind = 'payout'
            AND e.worker_id = l.worker_id AND e.project_id = p.project_id AND e.currency = l.currency
            AND e.amount_micros = -l.amount_micros
        GROUP BY l.reference, l.status HAVING COUNT(e.id) <> CASE l.status WHEN 'paid' THEN 1 ELSE 0 END""",
    "whatever was paid out had a line": """
        SELECT e.id FROM crowd_ledgerentry e LEFT JOIN crowd_payoutline l ON l.reference = e.reference
        WHERE e.kind IN ('payout', 'carry') AND l.id IS NULL""",
    "what is carried over is neither made nor lost": """
        SELECT reference FROM crowd_ledgerentry WHERE kind = 'carry'
        GROUP BY reference HAVING SUM(amount_micros) <> 0 OR COUNT(*) <> 2""",
    "a payout is where its lines are": """
        SELECT p.id, p.status, l.status FROM crowd_payout p JOIN crowd_payoutline l ON l.payout_id = p.id
        WHERE (p.status = 'draft') OR (p.status = 'locked' AND l.status <> 'locked')
        OR (p.status = 'sending' AND l.status = 'locked')
        OR (p.status = 'unknown' AND l.status IN ('locked', 'sending'))
        OR (p.status = 'paid' AND l.status NOT IN ('paid', 'failed'))
        OR (p.status = 'failed' AND l.status <> 'failed')""",
    "a payout that is under way has something under way": """
        SELECT p.id FROM crowd_payout p WHERE p.status IN ('locked', 'sending', 'unknown', 'paid') AND NOT EXISTS (
        SELECT 1 FROM crowd_payoutline l WHERE l.payout_id = p.id AND l.status = p.status)""",
    "a bonus is taken back in full": """
        SELECT r.id FROM crowd_ledgerentry r JOIN crowd_ledgerentry b ON b.id = r.reverses_id
        WHERE r.kind <> 'reversal' OR b.kind <> 'bonus' OR r.amount_micros <> -b.amount_micros
        OR r.worker_id <> b.worker_id OR r.project_id <> b.project_id OR r.currency <> b.currency""",
    "payouts move as the table says": f"""
        SELECT id, from_status, to_status FROM crowd_payoutstep WHERE from_status <> ''
        AND from_status || '>' || to_status NOT IN ({MOVES})""",  # noqa: S608  constants of ours
    "the steps of a payout end where it is": """
        SELECT p.id, p.status FROM crowd_payout p WHERE p.status <> COALESCE((SELECT s.to_status FROM crowd_payoutstep s
        WHERE s.payout_id = p.id AND s.line_id IS NULL ORDER BY s.id DESC LIMIT 1), 'nothing')""",
    "the steps of a line end where it is": """
        SELECT l.id, l.status FROM crowd_payoutline l WHERE l.status <> COALESCE((SELECT s.to_status
        FROM crowd_payoutstep s WHERE s.line_id = l.id ORDER BY s.id DESC LIMIT 1), 'nothing')""",
}
DISPUTES: dict[str, str] = {
    "what is accepted is not disputed": """
        SELECT d.id FROM crowd_dispute d JOIN crowd_assignment a ON a.id = d.assignment_id
        WHERE d.status = 'open' AND a.status = 'accepted'""",
    "a dispute is about one's own work": """
        SELECT d.id FROM crowd_dispute d JOIN crowd_assignment a ON a.id = d.assignment_id
        WHERE d.worker_id <> a.worker_id OR d.project_id <> a.project_id""",
}
