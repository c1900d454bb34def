from crowd.models.batches import (
    Batch,
    BatchVideo,
    BudgetChange,
    Gold,
    GoldEvent,
    Policy,
    PreLabels,
    PreLabelsPiece,
    Task,
)
from crowd.models.disputing import Dispute
from crowd.models.judging import PeerScore, Score, Skill, Suspicion
from crowd.models.paying import LedgerEntry
from crowd.models.payouts import Payout, PayoutItem, PayoutLine, PayoutStep
from crowd.models.qualifying import Qualification, TrainingTask, Trial
from crowd.models.seats import Assignment, Draft, Ghost, LateBody, Transition
from crowd.models.standing import SamePerson, Sanction

__all__ = [
    "Assignment",
    "Batch",
    "BatchVideo",
    "BudgetChange",
    "Dispute",
    "Draft",
    "Ghost",
    "Gold",
    "GoldEvent",
    "LateBody",
    "LedgerEntry",
    "PeerScore",
    "Payout",
    "PayoutItem",
    "PayoutLine",
    "PayoutStep",
    "Policy",
    "PreLabels",
    "PreLabelsPiece",
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
