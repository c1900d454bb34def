from crowd.models.batches import Batch, BatchVideo, Gold, Policy, PreLabels, Task
from crowd.models.judging import PeerScore, Score, Skill, Suspicion
from crowd.models.paying import LedgerEntry
from crowd.models.seats import Assignment, Draft, LateBody, Transition
from crowd.models.standing import Sanction

__all__ = [
    "Assignment",
    "Batch",
    "BatchVideo",
    "Draft",
    "Gold",
    "LateBody",
    "LedgerEntry",
    "PeerScore",
    "Policy",
    "PreLabels",
    "Sanction",
    "Score",
    "Skill",
    "Suspicion",
    "Task",
    "Transition",
]
