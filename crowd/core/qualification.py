"""What a project asks of a worker before real work is offered: which gold, which marks, how often, how soon again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from annotation.core.problems import Problems, shown, step
from annotation.core.values import name_problem, text_problem

#: Components of a benchmark score that a mark may be set for, in words for those who try to reach it: all are shares,
#: and more is better.
COMPONENTS = {
    "soft_track_f": "objects and events as a whole",
    "f1": "boxes found and none invented",
    "precision": "boxes that are right",
    "recall": "boxes found",
    "hota": "boxes and objects as a whole (HOTA)",
    "deta": "boxes found and none invented (DetA)",
    "assa": "each object followed as one (AssA)",
    "loca": "exact boxes (LocA)",
    "idf1": "each object followed as one (IDF1)",
    "mean_iou": "exact boxes",
    "label_accuracy": "right labels",
    "attribute_accuracy": "right attributes",
    "interval_f": "events found and none invented",
}
#: Boxes are found at this IoU, whatever the project's own floor: marks mean the same everywhere.
FOUND_AT = 0.5
MOST_GOLD = 100
MOST_MICROS = 10**15
LONGEST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Qualification:
    """`gold` are ids of gold, or how many of the project's oldest are taken. `marks` are by component, 0 to 1.

    `attempts` is how often somebody may try, `wait_s` the time between two attempts. Nothing is paid for it unless
    `reward_micros` says so, and then for taking part, passed or not.
    """

    gold: tuple[str, ...] | int
    marks: Mapping[str, float] = field(default_factory=dict)
    attempts: int = 3
    wait_s: int = 3600
    feedback: bool = True
    instructions: str = ""
    reward_micros: int = 0

    def marks_with(self, gold_floor: float) -> dict[str, float]:
        """All marks to be reached; what the project left out is as in `docs/qualification.md`."""
        return {"soft_track_f": gold_floor, "f1": 0.8, "label_accuracy": 0.9} | dict(self.marks)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Means over the gold of one attempt, by component (None: nothing to look at), and the marks that were missed."""

    scores: dict[str, float | None]
    missed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.missed


def judge(figures: Sequence[Mapping[str, Any]], marks: Mapping[str, float]) -> Verdict:
    """Each component's mean over all gold against its mark. Where gold has nothing of a kind, nothing is missed.

    >>> judge([{"f1": 1.0}, {"f1": 0.5}], {"f1": 0.8}).missed
    ('f1',)
    """
    scores: dict[str, float | None] = {}
    for name in COMPONENTS:
        values = [f[name] for f in figures if f.get(name) is not None]
        scores[name] = sum(values) / len(values) if values else None
    # A sum of floats: 0.65 three times must not be under 0.65.
    missed = tuple(name for name in marks if (mean := scores.get(name)) is not None and mean < marks[name] - 1e-9)
    return Verdict(scores, missed)


def read_qualification(value: Any, at: str, problems: Problems) -> Qualification | None:
    """From JSON; None for null. What is wrong is added by pointers under `at`."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        problems.add(at, f"must be an object or null, not {shown(value)}")
        return None
    checks = {
        "gold": _gold_problem,
        "attempts": lambda v: _whole_problem(v, 1, 100),
        "wait_s": lambda v: _whole_problem(v, 0, 365 * 86_400),
        "reward_micros": lambda v: _whole_problem(v, 0, MOST_MICROS),
        "feedback": lambda v: None if isinstance(v, bool) else f"must be true or false, not {shown(v)}",
        "instructions": lambda v: text_problem(v, LONGEST_TEXT),
    }
    for name in sorted(set(value) - set(checks) - {"marks"}, key=str):
        problems.add(at + step(name), f"there is no such field; there are: {', '.join([*checks, 'marks'])}")
    if "gold" not in value:
        problems.add(f"{at}/gold", "is required: ids of gold, or how many of the project's gold segments")
    right = {}
    for name in [name for name in checks if name in value]:
        if problem := checks[name](value[name]):
            problems.add(f"{at}/{name}", problem)
        else:
            right[name] = value[name]
    marks = _read_marks(value.get("marks"), f"{at}/marks", problems)
    gold = right.pop("gold", 1)
    ids = gold if isinstance(gold, int) else tuple(dict.fromkeys(gold))
    return replace(Qualification(ids), marks=marks, **right)


def from_json(value: Mapping[str, Any] | None) -> Qualification | None:
    """As it was stored."""
    if value is None:
        return None
    gold = value["gold"]
    return Qualification(**{**value, "gold": gold if isinstance(gold, int) else tuple(gold)})


def _whole_problem(value: Any, low: int, high: int) -> str | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    return None if fits else f"must be a whole number from {low} to {high}, not {shown(value)}"


def _gold_problem(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        ids = 0 < len(value) <= MOST_GOLD and all(name_problem(v, 64) is None for v in value)
        return None if ids else f"must be a list of 1 to {MOST_GOLD} ids of gold"
    return _whole_problem(value, 1, MOST_GOLD) and f"must be ids of gold, or a number from 1 to {MOST_GOLD}"


def _read_marks(value: Any, at: str, problems: Problems) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        problems.add(at, f"must be an object, not {shown(value)}")
        return {}
    marks = {}
    for name, mark in value.items():
        number = isinstance(mark, int | float) and not isinstance(mark, bool) and 0 <= mark <= 1
        if name not in COMPONENTS:
            problems.add(at + step(name), f"there is no such component; there are: {', '.join(COMPONENTS)}")
        elif not number:
            problems.add(at + step(name), f"must be a number from 0 to 1, not {shown(mark)}")
        else:
            marks[name] = float(mark)
    return marks
