"""How quick a comparison of two sets of tracks is beside trackeval, on real truth, in one run.

    python -m benchmarks.scores

Needs trackeval (the `test` extra) and ../shared/data. Both sides start from the same filled tracks and give HOTA, CLEAR
and identity figures, similarities included; "metrics alone" leaves trackeval's similarities out of its time, though
ours stay in. Each figure is the best of three.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from annotation.core.metrics import compare
from annotation.core.tracks import Dense, fill
from tests.core.cast import SEQUENCES, as_trackeval, by_trackeval, sequence


def best_of(times: int, call: Callable[[], Any]) -> tuple[float, Any]:
    took, answer = [], None
    for _ in range(times):
        begin = time.perf_counter()
        answer = call()
        took.append(time.perf_counter() - begin)
    return min(took), answer


def noisy(truth: Dense, seed: int) -> Dense:
    rng = np.random.default_rng(seed)
    size = np.tile(truth.boxes[..., 2:] - truth.boxes[..., :2], 2)
    boxes = truth.boxes + rng.normal(0, 0.05, truth.boxes.shape) * size
    return Dense(truth.start, truth.ids, truth.labels, boxes, truth.present, truth.occluded)


def main() -> None:
    print(f"{'sequence':24}{'boxes':>8}{'ours ms':>10}{'trackeval ms':>14}{'ratio':>8}{'metrics alone':>15}")
    ratios = []
    for name in SEQUENCES:
        tracks = sequence(name)
        truth = fill(tracks.tracks, 0, tracks.stop)
        other = noisy(truth, 7)
        prepare, data = best_of(3, lambda t=truth, o=other: as_trackeval(t, o))
        theirs, figures = best_of(3, lambda d=data: by_trackeval(d))
        ours, got = best_of(3, lambda t=truth, o=other: compare(t, o))
        worst = max(abs(getattr(got, key) - value) for key, value in figures.items())
        if worst > 1e-9:
            raise SystemExit(f"{name}: differs from trackeval by {worst}")
        ratios.append(((prepare + theirs) / ours, theirs / ours))
        whole, alone = ratios[-1]
        times = f"{ours * 1e3:10.1f}{(prepare + theirs) * 1e3:14.1f}"
        print(f"{name:24}{int(other.present.sum()):8}{times}{whole:8.1f}{alone:15.1f}")
    print("smallest ratio", *(f"{min(column):.1f}" for column in zip(*ratios, strict=True)))


if __name__ == "__main__":
    main()
