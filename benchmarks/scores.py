"""How quick comparisons of two sets of tracks are beside trackeval, on real truth, in one run.

    python -m benchmarks.scores

Needs trackeval (the `test` extra) and ../shared/data. `metrics` is HOTA, CLEAR and identity figures from filled tracks,
similarities included, on both sides, and equal to 1e-9 or the run ends in an error; `gold` is a whole benchmark score
from keyframes, `pair` the agreement of two submissions from keyframes. The last three columns say how many times longer
trackeval takes for its one comparison. Each time is the best of as many calls as fit into a third of a second, three at
least.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from annotation.core.matching import track_soft_f
from annotation.core.metrics import compare
from annotation.core.tracks import Tracks, fill
from crowd.core.scoring import benchmark
from tests.core.cast import SEQUENCES, as_trackeval, by_trackeval, sequence


def best_of(call: Callable[[], Any]) -> tuple[float, Any]:
    took, answer = [], None
    while len(took) < 3 or sum(took) < 1 / 3:
        begin = time.perf_counter()
        answer = call()
        took.append(time.perf_counter() - begin)
    return min(took), answer


def noisy(truth: Tracks, seed: int) -> Tracks:
    """Every box off by 5 % of its sides, on every frame."""
    rng = np.random.default_rng(seed)
    tracks = []
    for track in truth.tracks:
        size = np.tile(track.points[:, 2:] - track.points[:, :2], 2)
        tracks.append(replace(track, points=track.points + rng.normal(0, 0.05, size.shape) * size))
    return replace(truth, tracks=tuple(tracks))


def times(truth: Tracks, other: Tracks) -> tuple[float, float, float, float]:
    """Seconds of trackeval, and of ours for metrics, gold and pair. SystemExit if the figures differ."""
    start, stop = truth.start, truth.stop
    a, b = fill(truth.tracks, start, stop), fill(other.tracks, start, stop)
    prepare, data = best_of(lambda: as_trackeval(a, b))
    theirs, figures = best_of(lambda: by_trackeval(data))
    ours, got = best_of(lambda: compare(a, b))
    worst = max(abs(getattr(got, key) - value) for key, value in figures.items())
    if worst > 1e-9:
        raise SystemExit(f"differs from trackeval by {worst}")
    gold, _ = best_of(lambda: benchmark(other, truth, start, stop))
    pair, _ = best_of(lambda: track_soft_f(fill(other.tracks, start, stop), fill(truth.tracks, start, stop)))
    return prepare + theirs, ours, gold, pair


def main() -> None:
    print(f"{'sequence, ms':24}{'trackeval':>10}{'metrics':>10}{'gold':>10}{'pair':>10}{'ratios':>12}")
    ratios = []
    for name in SEQUENCES:
        truth = sequence(name)
        theirs, *ours = times(truth, noisy(truth, 7))
        ratios.append([theirs / t for t in ours])
        row = "".join(f"{t * 1e3:10.1f}" for t in (theirs, *ours))
        print(f"{name:24}{row}     " + "".join(f"{r:7.1f}" for r in ratios[-1]))
    print("smallest ratio", *(f"{min(column):.1f}" for column in zip(*ratios, strict=True)))


if __name__ == "__main__":
    main()
