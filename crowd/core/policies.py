"""A project's policy: how its work is cut, given out, judged and paid. Defaults are for boxes on 25 fps video."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any

from annotation.core.languages import MOST_LANGUAGES, is_language
from annotation.core.problems import Invalid, Problems, shown, step
from crowd.core import qualification
from crowd.core.qualification import Qualification
from crowd.core.stopping import GAIN_FLOOR

MOST_MICROS = 10**15
# What the clips' encoder offers: visually lossless, and more.
CLIP_QUALITIES = ("default", "high", "best")


class InvalidPolicy(Invalid):
    """The policy cannot be worked by."""


@dataclass(frozen=True)
class Policy:
    """The fields of the public contract; shares are 0 to 1, money in millionths of the currency, times in seconds."""

    open: bool = True
    segment_frames: int = 300
    overlap_frames: int = 30
    redundancy: int = 3
    max_redundancy: int = 5
    adaptive: bool = True
    quorum: str = "1/2"
    iou_floor: float = 0.5
    agreement_floor: float = 0.8
    gain_floor: float = GAIN_FLOOR
    gold_share: float = 0.05
    gold_floor: float = 0.65
    lease_s: int = 1800
    max_renewals: int = 3
    max_held: int = 1
    reward_micros: int = 0
    currency: str = "EUR"
    budget_micros: int | None = None
    qualification: Qualification | None = None
    languages: tuple[str, ...] = ()
    min_skill: float = 0.0
    max_tasks_per_worker: int | None = None
    max_tasks_per_day: int | None = None
    gold_exposures: int = 50
    frame_step: int = 1
    ghosts: bool = False
    clip_quality: str = "default"

    @property
    def quorum_share(self) -> Fraction:
        return Fraction(self.quorum)

    @property
    def first_seats(self) -> int:
        """How many seats a task opens with."""
        return min(2, self.redundancy) if self.adaptive else self.redundancy

    def to_json(self) -> dict[str, Any]:
        """As it is stored and shown: plain JSON."""
        asked = asdict(self.qualification) if self.qualification else None
        if asked and not isinstance(asked["gold"], int):
            asked["gold"] = list(asked["gold"])
        return asdict(self) | {"qualification": asked, "languages": list(self.languages)}


Check = Callable[[Any], str | None]


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"must be a whole number from {low} to {high}, not {shown(value)}"

    return check


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {shown(value)}"


def _share(value: Any) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return None if number and 0 <= value <= 1 else f"must be a number from 0 to 1, not {shown(value)}"


def _quorum(value: Any) -> str | None:
    try:
        share = read_quorum(value)
    except ValueError:
        return f"must be a fraction such as '2/3' or a number, not {shown(value)}"
    read = f" (read as {share})" if isinstance(value, float) else ""  # 0.001 is above 0, until it is read
    return None if 0 < share <= 1 else f"must be above 0 and at most 1, not {shown(value)}{read}"


def _currency(value: Any) -> str | None:
    fits = isinstance(value, str) and re.fullmatch("[A-Z]{3}", value)
    return None if fits else f"must be a three-letter code such as EUR, not {shown(value)}"


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _languages(value: Any) -> str | None:
    fits = isinstance(value, list | tuple) and len(value) <= MOST_LANGUAGES and all(map(is_language, value))
    return None if fits else "must be a list of language tags such as en or pt-BR"


def _clip_quality(value: Any) -> str | None:
    fits = isinstance(value, str) and value in CLIP_QUALITIES
    return None if fits else f"must be one of {', '.join(CLIP_QUALITIES)}, not {shown(value)}"


CHECKS: dict[str, Check] = {
    "open": _flag,
    "segment_frames": _whole(1, 100_000),
    "overlap_frames": _whole(0, 100_000),
    "redundancy": _whole(1, 100),
    "max_redundancy": _whole(1, 100),
    "adaptive": _flag,
    "quorum": _quorum,
    "iou_floor": _share,
    "agreement_floor": _share,
    "gain_floor": _share,
    "gold_share": _share,
    "gold_floor": _share,
    "lease_s": _whole(1, 30 * 86_400),
    "max_renewals": _whole(0, 1000),
    "max_held": _whole(1, 100),
    "reward_micros": _whole(0, MOST_MICROS),
    "currency": _currency,
    "budget_micros": _or_none(_whole(0, MOST_MICROS)),
    "languages": _languages,
    "min_skill": _share,
    "max_tasks_per_worker": _or_none(_whole(1, 10**9)),
    "max_tasks_per_day": _or_none(_whole(1, 10**9)),
    "gold_exposures": _whole(1, 10**9),
    "frame_step": _whole(1, 100_000),
    "ghosts": _flag,
    "clip_quality": _clip_quality,
}


def read_quorum(value: Any) -> Fraction:
    """A quorum from "2/3" exactly, or from a number as the nearest fraction with a denominator up to 100.

    >>> read_quorum(0.6667)
    Fraction(2, 3)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(value)
    if isinstance(value, str):
        if not re.fullmatch(r"\d{1,6}(/\d{1,6}|\.\d{1,6})?", value) or re.fullmatch(r".*/0+", value):
            raise ValueError(value)
        share = Fraction(value)
        return share if "/" in value else share.limit_denominator(100)
    if not math.isfinite(value):
        raise ValueError(value)
    return Fraction(value).limit_denominator(100)


def parse_policy(data: object, *, base: Policy | None = None, at: str = "/policy") -> Policy:
    """A policy from JSON; what is left out is `base`'s. InvalidPolicy lists what is wrong, by pointers under `at`."""
    base = base or Policy()
    problems = Problems()
    with problems.raising(InvalidPolicy):
        if data is not None and not isinstance(data, Mapping):
            problems.add(at, f"must be an object, not {shown(data)}")
            return base
        given = dict(data or {})
        for name in sorted(set(given) - {*CHECKS, "qualification"}, key=str):
            problems.add(at + step(name), f"there is no such field; there are: {', '.join(CHECKS)}, qualification")
        right = {name: given[name] for name in CHECKS if name in given and not _add(name, given[name], at, problems)}
        if "quorum" in right:
            right["quorum"] = str(read_quorum(right["quorum"]))
        if "languages" in right:
            right["languages"] = tuple(dict.fromkeys(right["languages"]))
        if "qualification" in given:
            asked = qualification.read_qualification(given["qualification"], f"{at}/qualification", problems)
            right["qualification"] = asked
        policy = replace(base, **right)
        _together(policy, given, at, problems)
    return policy


def _add(name: str, value: Any, at: str, problems: Problems) -> bool:
    problem = CHECKS[name](value)
    if problem:
        problems.add(f"{at}/{name}", problem)
    return problem is not None


def _together(policy: Policy, given: Mapping[str, Any], at: str, problems: Problems) -> None:
    if policy.overlap_frames * 3 > policy.segment_frames:
        message = (
            f"an overlap of {policy.overlap_frames} frames is more than a third of a segment of {policy.segment_frames}"
        )
        problems.add(f"{at}/overlap_frames", message)
    if policy.redundancy > policy.max_redundancy:
        # Blame what was sent: the other may be a default.
        name = "max_redundancy" if "max_redundancy" in given else "redundancy"
        problems.add(
            f"{at}/{name}", f"redundancy ({policy.redundancy}) is above max_redundancy ({policy.max_redundancy})"
        )


def from_json(values: Mapping[str, Any]) -> Policy:
    """A policy as it was stored; fields that came later have their defaults."""
    known = {f.name: values[f.name] for f in fields(Policy) if f.name in values}
    known["qualification"] = qualification.from_json(known.get("qualification"))
    known["languages"] = tuple(known.get("languages", ()))
    return Policy(**known)
