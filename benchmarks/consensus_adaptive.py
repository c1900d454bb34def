"""Quality against workers spent: the same number everywhere, the plain rule of agreement, and the rule by risk.

    python -m benchmarks.consensus_adaptive [--seeds 1] [--gain-floors 0.03 0.022 0.015] [--agreement-floors 0.8 …]
                                            [--in-order] [--reach 5] [--known] [--out DIR]

Simulated crowds, with and without a fifth of spammers, Gaussian and heavy-tailed errors, no gold. Means over sequences,
seeds and crowds; `workers` is the mean per task of a sequence. `--reach` is how many of the pool of ten can be asked
for each task: five, as many as the largest fixed number, or more, as where many are at work; the fixed numbers are
always the first ones. `--in-order` also asks them as they come, as jobs have to; `--agreement-floors` are of the plain
rule, one more while agreement is under it, always as they come. `--known`: the pool has done other work, the same
videos with five workers each, and skills are learnt from that too, whichever way it goes on. `--out` draws the curves.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.consensus_crowds import POOL, crowd, sequences
from review.core.cases import Case
from review.core.evaluating import Result, answers_to, evaluate
from review.core.learning import Answers

Point = tuple[float, float, float]
COLOURS = {"fixed": "#888", "risk": "#36c", "in order": "#2a9d8f", "agreement": "#e67e22"}


def fixed(cases: Sequence[Case], workers: float, former: Sequence[Answers]) -> list[Result]:
    """The first so many of those who sat at each task."""
    few = [replace(c, tasks=tuple(replace(t, drawn=t.drawn[: int(workers)]) for t in c.tasks)) for c in cases]
    return evaluate(few, former=former)[0]


def by_risk(cases: Sequence[Case], floor: float, former: Sequence[Answers]) -> list[Result]:
    return evaluate(cases, adaptive=True, choose=True, gain_floor=floor, former=former)[0]


def by_risk_in_order(cases: Sequence[Case], floor: float, former: Sequence[Answers]) -> list[Result]:
    return evaluate(cases, adaptive=True, gain_floor=floor, former=former)[0]


def by_agreement(cases: Sequence[Case], floor: float, former: Sequence[Answers]) -> list[Result]:
    return evaluate(cases, adaptive=True, agreement_floor=floor, former=former)[0]


Rule = Callable[[Sequence[Case], float, Sequence[Answers]], list[Result]]
RULES: dict[str, Rule] = {"fixed": fixed, "risk": by_risk, "in order": by_risk_in_order, "agreement": by_agreement}


def measure(results: Sequence[Result]) -> Point:
    """Workers spent, HOTA and IDF1: means over sequences."""
    figures = [r.figures["consensus"] for r in results]
    return tuple(float(np.mean([getattr(f, name) for f in figures])) for name in ("workers", "hota", "idf1"))  # type: ignore[return-value]


def picture(curves: dict[str, list[Point]]) -> str:
    """HOTA against workers spent, as SVG."""
    every = [p for points in curves.values() for p in points]
    low, high = min(p[1] for p in every) - 0.005, max(p[1] for p in every) + 0.005

    def place(point: Point) -> tuple[float, float]:
        return 30 + (point[0] - 2) / 3 * 240, 190 - (point[1] - low) / (high - low) * 170

    lines = []
    for i, (rule, points) in enumerate(curves.items()):
        at = [place(p) for p in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[rule]}"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[rule]}"/>' for x, y in at]
        lines.append(f'<text x="200" y="{150 + 14 * i}" font-size="11" fill="{COLOURS[rule]}">{rule}</text>')
    ticks = [f'<text x="{27 + 80 * i}" y="204" font-size="10">{i + 2}</text>' for i in range(4)]
    ends = f'<text x="2" y="24" font-size="9">{high:.3f}</text><text x="2" y="190" font-size="9">{low:.3f}</text>'
    frame = '<rect x="30" y="20" width="240" height="170" fill="none" stroke="#ccc"/>'
    said = '<text x="90" y="216" font-size="10">workers per task</text><text x="32" y="14" font-size="10">HOTA</text>'
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" width="290" height="222">',
            frame,
            *lines,
            *ticks,
            ends,
            said,
            "</svg>\n",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--gain-floors", type=float, nargs="*", default=[0.03, 0.022, 0.015])
    parser.add_argument("--agreement-floors", type=float, nargs="*", default=[])
    parser.add_argument("--in-order", action="store_true")
    parser.add_argument("--reach", type=int, default=5, choices=range(5, POOL + 1))
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    some = sequences()
    kinds = list(itertools.product(args.seeds, (0.0, 0.2), (False, True)))
    rules = ("risk", "in order") if args.in_order else ("risk",)
    asked = [("fixed", float(n)) for n in (2, 3, 4, 5)]
    asked += [(rule, floor) for rule in rules for floor in args.gain_floors]
    asked += [("agreement", f) for f in args.agreement_floors]
    found: dict[tuple[str, float], list[Point]] = {key: [] for key in asked}
    for seed, bad, heavy in kinds:
        cases = crowd(some, seed, workers=args.reach, spammers=bad, heavy=heavy)
        before = crowd(some, seed, workers=5, spammers=bad, heavy=heavy, batch=1) if args.known else []
        former = [answers_to(t, t.drawn) for case in before for t in case.tasks]
        for rule, value in asked:
            spent, hota, idf1 = measure(RULES[rule](cases, value, former))
            found[rule, value].append((spent, hota, idf1))
            kind = f"seed {seed}, {bad:.0%} spam, {'heavy' if heavy else 'Gaussian'}"
            print(f"{kind}: {rule} {value:g}: {spent:.2f} workers, HOTA {hota:.3f}, IDF1 {idf1:.3f}", flush=True)
    curves: dict[str, list[Point]] = {}
    for (rule, value), points in found.items():
        spent, hota, idf1 = np.mean(points, axis=0).tolist()
        curves.setdefault(rule, []).append((spent, hota, idf1))
        print(f"mean: {rule} {value:g}: {spent:.2f} workers, HOTA {hota:.3f}, IDF1 {idf1:.3f}")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "workers.svg").write_text(picture(curves))


if __name__ == "__main__":
    main()
