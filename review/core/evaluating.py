"""Consensus and stitching on files: how close the crowd's result is to the truth, beside single workers.

Skills are learnt over all cases at once, from everybody's submissions and the gold. A worker who sat at every task of
a case is scored as they are. Where nobody did, single workers are put together: workers are ranked by their mean soft
track F with the truth over all their tasks, and the r-th single worker has on each task what the r-th best of those
who sat there drew. Best and median are taken by HOTA, then mean IoU, then IDF1; single workers' tracks are stitched as
the consensus is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count

import numpy as np

from annotation.core.matching import track_soft_f
from annotation.core.metrics import compare
from annotation.core.resolving import Resolved, resolve
from annotation.core.stitching import SegmentTracks, Stitched, stitch
from annotation.core.tracks import Dense, Tracks, fill
from crowd.core.stopping import GAIN_FLOOR
from review.core.asking import FIRST, Asking, ask_more, consent, scout
from review.core.cases import Case, Drawn, Task
from review.core.consensus import Consensus
from review.core.learning import Answers, Learnt, learn
from review.core.steps import Step, Told, all_tasks, nobody, step_at, tasks_of

EVERYBODY = ("consensus", "median", "best")


@dataclass(frozen=True, slots=True)
class Figures:
    """Quality of one set of tracks of a whole video."""

    hota: float
    idf1: float
    mota: float
    mean_iou: float
    workers: float


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A whole video: its segments, how they were joined, and every box."""

    segments: tuple[SegmentTracks, ...]
    stitched: Stitched
    resolved: Resolved


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One case: figures by who (`consensus`, `median`, `best`), the consensus, and who had a say in each segment."""

    name: str
    figures: Mapping[str, Figures]
    whole: Whole
    consensuses: tuple[Consensus, ...]
    used: tuple[tuple[Drawn, ...], ...]


def evaluate(
    cases: Sequence[Case],
    *,
    adaptive: bool = False,
    choose: bool = False,
    gain_floor: float = GAIN_FLOOR,
    agreement_floor: float | None = None,
    former: Sequence[Answers] = (),
    on_step: Told = nobody,
) -> tuple[list[Result], Learnt]:
    """Results by case, and what was learnt of the workers over all of them; `gain_floor` as in `crowd.core.stopping`.

    With `adaptive`, submissions are asked for in the file's order; with `choose` as well, the most exact workers first.
    With an `agreement_floor`, by the plain rule: one more while agreement is under it, whatever the gain.
    `former` are answers to other tasks, by which workers may be known before they begin. `on_step` is told what is done
    next.
    """
    used = [[t.drawn[:FIRST] if adaptive else t.drawn for t in case.tasks] for case in cases]
    if adaptive and choose:
        used = scout(cases, former)
    learnt = _learn(cases, used, former, on_step)
    rule, done, rounds = Asking(gain_floor, agreement_floor, choose, on_step), set[tuple[int, int]](), count(1)
    while adaptive and ask_more(cases, used, learnt, done, rule, next(rounds)):
        learnt = _learn(cases, used, former, on_step)
    ranks = _rank(cases, on_step)
    return [_result(cases, c, some, learnt, ranks, on_step) for c, some in enumerate(used)], learnt


def answers_to(task: Task, drawn: Sequence[Drawn]) -> Answers:
    """Some of a task's submissions as skills are learnt from."""
    return Answers(task.start, task.stop, tuple(d.worker for d in drawn), tuple(d.tracks for d in drawn), task.gold)


def _learn(
    cases: Sequence[Case], used: Sequence[Sequence[tuple[Drawn, ...]]], former: Sequence[Answers], told: Told
) -> Learnt:
    told(Step("learning skills"))
    each = (
        (t, some) for case, lists in zip(cases, used, strict=True) for t, some in zip(case.tasks, lists, strict=True)
    )
    return learn([*former, *(answers_to(task, some) for task, some in each if some)])


def _consent_all(
    cases: Sequence[Case], c: int, used: Sequence[tuple[Drawn, ...]], learnt: Learnt, told: Told
) -> tuple[Consensus, ...]:
    """Every segment by itself, then again with what was found around it, where there was something to settle."""
    first = [consent(task, used[i], learnt) for i, task in tasks_of(cases, c, "consensus", told)]
    out = []
    for i, task in tasks_of(cases, c, "consensus with what is around", told):
        around = [first[j].tracks for j in (i - 1, i + 1) if 0 <= j < len(first)]
        out.append(consent(task, used[i], learnt, around) if len(used[i]) > 1 and around else first[i])
    return tuple(out)


def _result(
    cases: Sequence[Case],
    c: int,
    used: Sequence[tuple[Drawn, ...]],
    learnt: Learnt,
    ranks: Mapping[str, int],
    told: Told,
) -> Result:
    case = cases[c]
    consensuses = _consent_all(cases, c, used, learnt, told)
    told(step_at(cases, c, "stitching and scoring"))
    whole = join(case, [made.tracks for made in consensuses])
    spent = float(np.mean([len(some) for some in used])) if used else 0.0
    figures = {"consensus": score(case.truth, whole.resolved.dense, spent)}
    told(step_at(cases, c, "stitching and scoring single workers"))
    singles = sorted((score(case.truth, w.resolved.dense, 1.0) for w in _singles(case, ranks)), key=_goodness)
    if singles:
        figures["median"], figures["best"] = singles[(len(singles) - 1) // 2], singles[-1]
    return Result(case.name, figures, whole, consensuses, tuple(used))


def _goodness(figures: Figures) -> tuple[float, float, float]:
    return figures.hota, figures.mean_iou, figures.idf1


def join(case: Case, tracks: Iterable[Tracks]) -> Whole:
    """Stitch one set of tracks per task of a case."""
    parts = zip(case.tasks, tracks, strict=True)
    segments = tuple(SegmentTracks(f"{t.start:09d}-{t.stop:09d}", t.start, t.stop, some) for t, some in parts)
    stitched = stitch(segments)
    return Whole(segments, stitched, resolve(segments, stitched, 0, case.truth.stop))


def score(truth: Dense, other: Dense, workers: float) -> Figures:
    """Figures of a whole video against its truth; labels do not matter."""
    found = compare(truth, other)
    return Figures(found.hota, found.idf1, found.mota, found.mean_iou, workers)


def _rank(cases: Sequence[Case], told: Told) -> dict[str, int]:
    """Workers by their mean soft track F with the truth over all their tasks, the best first."""
    seen: dict[str, list[float]] = {}
    for c, _, task in all_tasks(cases, "ranking workers", told):
        truth = _cut(cases[c].truth, task.start, task.stop)
        for d in task.drawn:
            own = fill(d.tracks.tracks, task.start, task.stop)
            seen.setdefault(d.worker, []).append(track_soft_f(truth, own, labels=False))
    order = sorted(seen, key=lambda w: (-float(np.mean(seen[w])), w))
    return {worker: i for i, worker in enumerate(order)}


def _cut(dense: Dense, start: int, stop: int) -> Dense:
    at = slice(start, stop)
    return Dense(start, dense.ids, dense.labels, dense.boxes[:, at], dense.present[:, at], dense.occluded[:, at])


def _singles(case: Case, ranks: Mapping[str, int]) -> Iterator[Whole]:
    """Whole videos as single workers drew them, one after the other: of a long one memory holds few."""
    if not case.tasks:
        return
    full = set.intersection(*({d.worker for d in t.drawn} for t in case.tasks))
    if full:
        pick = [[next(d for d in t.drawn if d.worker == w) for t in case.tasks] for w in sorted(full)]
    else:
        ranked = [sorted(t.drawn, key=lambda d: ranks[d.worker]) for t in case.tasks]
        pick = [[some[min(r, len(some) - 1)] for some in ranked] for r in range(max(map(len, ranked)))]
    yield from (join(case, [d.tracks for d in drawn]) for drawn in pick)


def mean_figures(results: Sequence[Result]) -> dict[str, Figures]:
    """Means over the cases that somebody drew, so that those of consensus, median and best are of the same videos;
    where there is none, of the consensus that is nothing."""
    drawn = [r.figures for r in results if r.figures.keys() >= set(EVERYBODY)] or [r.figures for r in results]
    return {who: _mean([f[who] for f in drawn]) for who in EVERYBODY if drawn and who in drawn[0]}


def _mean(some: Sequence[Figures]) -> Figures:
    each = [asdict(figures) for figures in some]
    return Figures(**{name: float(np.mean([f[name] for f in each])) for name in each[0]})
