"""Is a consensus as sure as it is right? Reliability and expected calibration error, and the fit behind the numbers.

    python -m benchmarks.consensus_calibration [--seeds 21 22] [--out DIR]

A track is right if its best true track has a spatio-temporal IoU of 0.5 or more. Crowds of 2, 3 and 5 workers, with and
without spammers, Gaussian and heavy-tailed. Every sequence is left out once: its tracks are judged by weights fitted on
all the others. The weights printed last are fitted on all and are what `review.core.calibration` carries.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from annotation.core.matching import track_iou
from annotation.core.tracks import Dense, fill
from benchmarks.consensus_crowds import crowd, sequences
from review.core import calibration, consensus
from review.core.cases import Case
from review.core.consensus import Submission, make_consensus
from review.core.evaluating import answers_to
from review.core.learning import learn

RIGHT, BINS, UNSURE = 0.5, 10, 0.9


def collect(cases: list[Case]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, given confidence, whether it was right, and its case, of every consensus track of a crowd."""
    tables: list[np.ndarray] = []
    given = calibration.confidences

    def numbered(table: np.ndarray) -> np.ndarray:
        first = sum(len(t) for t in tables)
        tables.append(np.column_stack([table, given(table)]))
        return np.arange(first, first + len(table), dtype=float)

    learnt = learn([answers_to(t, t.drawn) for case in cases for t in case.tasks])
    rows: list[int] = []
    right: list[bool] = []
    places: list[int] = []
    consensus.confidences = numbered
    try:
        for place, case, task in ((i, c, t) for i, c in enumerate(cases) for t in c.tasks):
            some = [Submission(f"{d.line:09d}", d.worker, d.tracks, learnt.skills[d.worker]) for d in task.drawn]
            tracks = make_consensus(some, task.start, task.stop, lone=True).tracks.tracks
            rows += [int(t.confidence) for t in tracks]
            places += [place] * len(tracks)
            right += _right(case.truth, fill(tracks, task.start, task.stop)).tolist()
    finally:
        consensus.confidences = given
    table = np.concatenate(tables)[rows]
    return table[:, :-1], table[:, -1], np.array(right, bool), np.array(places, np.int64)


def _right(truth: Dense, made: Dense) -> np.ndarray:
    part = (a[:, made.start : made.stop] for a in (truth.boxes, truth.present, truth.occluded))
    return track_iou(made, Dense(made.start, truth.ids, truth.labels, *part), labels=False).max(axis=1) >= RIGHT


def calibration_error(sure: np.ndarray, right: np.ndarray) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error in ten bins, and (mean confidence, share right, tracks) of each."""
    at = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [(sure[at == b].mean(), right[at == b].mean(), int((at == b).sum())) for b in np.unique(at)]
    return sum(abs(c - r) * n for c, r, n in bins) / len(sure), bins


def fit(table: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression with a small ridge, the bias last."""
    x = np.column_stack([table, np.ones(len(table))])

    def loss(w: np.ndarray) -> float:
        return float(np.logaddexp(0, np.where(right, -1, 1) * (x @ w)).sum() + 0.5 * (w[:-1] ** 2).sum())

    return minimize(loss, np.zeros(x.shape[1])).x


def picture(bins: list[tuple[float, float, int]]) -> str:
    """A reliability diagram as SVG."""
    dots = "".join(
        f'<circle cx="{20 + 200 * c:.1f}" cy="{220 - 200 * r:.1f}" r="{2 + np.log10(n):.1f}" fill="#36c"/>'
        for c, r, n in bins
    )
    frame = '<rect x="20" y="20" width="200" height="200" fill="none" stroke="#888"/>'
    even = '<line x1="20" y1="220" x2="220" y2="20" stroke="#bbb"/>'
    words = '<text x="70" y="236" font-size="11">confidence</text><text x="24" y="16" font-size="11">share right</text>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="240" height="244">{frame}{even}{dots}{words}</svg>\n'


def left_out(table: np.ndarray, right: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Confidence of every track by weights that were fitted without its sequence."""
    sure = np.zeros(len(right))
    for place in np.unique(places):
        here = places == place
        weights = fit(table[~here], right[~here])
        sure[here] = 1 / (1 + np.exp(-(table[here] @ weights[:-1] + weights[-1])))
    return sure


def report(name: str, sure: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int]]:
    error, bins = calibration_error(sure, right)
    print(
        f"{name}: expected calibration error {error:.3f} (by chance {by_chance(sure):.3f}) on {len(sure)} tracks, "
        f"{right.mean():.3f} of them right"
    )
    return bins


def by_chance(sure: np.ndarray, times: int = 100) -> float:
    """The error that so many tracks have on average where each is right with just the chance that it is given."""
    rng = np.random.default_rng(0)
    return float(np.mean([calibration_error(sure, rng.random(len(sure)) < sure)[0] for _ in range(times)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    some = sequences()
    parts = []
    for seed, workers, bad, heavy in itertools.product(args.seeds, (2, 3, 5), (0.0, 0.2), (False, True)):
        cases = crowd(some, seed, workers=workers, spammers=bad, heavy=heavy)
        parts.append(collect(cases))
    table, carried, right, places = (np.concatenate(column) for column in zip(*parts, strict=True))
    report("weights carried", carried, right)
    sure = left_out(table, right, places)
    for place, sequence in enumerate(some):
        report(f"without {sequence.name}", sure[places == place], right[places == place])
    report("of these, given less than 0.9", sure[sure < UNSURE], right[sure < UNSURE])
    for confidence, share, n in (bins := report("every sequence left out once", sure, right)):
        print(f"given {confidence:.2f}: {share:.2f} right of {n}")
    print("weights, bias:", np.round(fit(table, right), 2).tolist())
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "reliability.svg").write_text(picture(bins))


if __name__ == "__main__":
    main()
