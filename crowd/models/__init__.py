from crowd.models.batches import Batch, BatchVideo, Gold, GoldEvent, Policy, PreLabels, Task
from crowd.models.judging import PeerScore, Score, Skill, Suspicion
from crowd.models.paying import LedgerEntry
from crowd.models.qualifying import Qualification, TrainingTask, Trial
from crowd.models.seats import Assignment, Draft, Ghost, LateBody, Transition
from crowd.models.standing import SamePerson, Sanction

__all__ = [
    "Assignment",
    "Batch",
    "BatchVideo",
    "Draft",
    "Ghost",
    "Gold",
    "GoldEvent",
    "LateBody",
    "LedgerEntry",
    "PeerScore",
    "Policy",
    "PreLabels",
    "Qualification",
    "SamePerson",
    "Sanction",
    "Score",
    "Skill",
    "Suspicion",
    "Task",
    "TrainingTask",
    "Transition",
    "Trial",
]
