"""Consensus of other crowds than the usual one, on which nothing was tuned: one error after the other is worse.

    python -m benchmarks.consensus_others [--seeds 31 32] [--workers 3] [--only "one frame"]

Means over all sequences, the seeds, Gaussian and heavy-tailed errors, without and with a fifth of spammers, beside the
bound (see `consensus`) of the same crowds; `worst` is the sequence with the smallest share of it. Where frames are left
out, keyframes and late ends are about as many seconds apart as before. `--only` runs those whose name has the word.
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import numpy as np

from benchmarks.consensus import SPAMMERS, run
from benchmarks.consensus_crowds import sequences, thinned

OTHERS: dict[str, dict[str, Any]] = {
    "usual": {},
    "noise twice as large": {"worse": {"noise": 2}},
    "noise of its own on every keyframe": {"worse": {"steady": 0}},
    "bias three times as large, less noise": {"worse": {"bias": 3, "noise": 0.4}},
    "three times as much missed": {"worse": {"missed": 3}},
    "three times as much invented": {"worse": {"invented": 3.33}},
    "inventions of up to ten seconds": {"worse": {"invented_frames": 5}},
    "two and a half times as many swaps": {"worse": {"swaps": 2.5}},
    "keyframes every 25 frames": {"worse": {"keyframe_step": 2.5}},
    "keyframes at random distances": {"uneven": True},
    "tracks begun anew every 3 seconds": {"pieces_s": 3},
    "one object of twelve drawn twice": {"twice": 1 / 12},
    "a pool of thirty": {"size": 30},
    "two workers": {"workers": 2},
    "one frame of two": {"every": 2},
    "one frame of three": {"every": 3},
    "one frame of six": {"every": 6},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32])
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    for name, how in OTHERS.items():
        if args.only not in name:
            continue
        every = how.get("every", 1)
        some = [thinned(sequence, every) for sequence in sequences()]
        crowded = {"worse": {"keyframe_step": 1 / every, "edge_frames": 1 / every}} | how
        crowded.pop("every", None)
        parts = [
            run(
                some,
                seed,
                adaptive=False,
                **{"workers": args.workers, "spammers": bad, "heavy": heavy, "gold": 0.0} | crowded,
            )
            for seed, heavy, bad in itertools.product(args.seeds, (False, True), (0.0, SPAMMERS))
        ]
        columns = ("hota", "idf1", "bound_hota", "bound_idf1")
        by_sequence = np.array([[[row[c] for c in columns] for row in rows] for rows in parts]).mean(axis=0)
        ours, bound = by_sequence[:, :2], by_sequence[:, 2:]
        share, worst = ours.mean(axis=0) / bound.mean(axis=0), (ours / bound).min(axis=0)
        print(
            f"{name:38} HOTA/IDF1 {ours[:, 0].mean():.4f}/{ours[:, 1].mean():.4f}, "
            f"share {share[0]:.3f}/{share[1]:.3f}, worst {worst[0]:.3f}/{worst[1]:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
