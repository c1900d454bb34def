"""Consensus of simulated crowds over real truth: HOTA and IDF1 of the stitched whole beside what can be had at best.

    python -m benchmarks.consensus [--seeds 1 2 3] [--workers 3 5] [--gold 0 0.05] [--kinds same one] [--adaptive]
        [--json FILE]

For each number of workers, Gaussian and heavy-tailed errors, without and with a fifth of spammers (two of the pool, of
the first two of `--kinds`): the consensus, the
best single worker, and the bound (every worker's box given its true identity by matching with the truth, then the
plain mean). All sequences of a seed are one evaluation, so a worker is one person across them. Means over sequences
and seeds; `worst` is the sequence with the smallest share of the bound, over the seeds' means.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.consensus_crowds import bound, crowd, sequences
from crowd.core.simulation import KINDS
from review.core.evaluating import evaluate, score

SPAMMERS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--workers", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--spammers", type=float, nargs="+", default=[0.0, SPAMMERS])
    parser.add_argument("--gold", type=float, nargs="+", default=[0.0])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--adaptive", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    some, rows, kinds = sequences(), [], tuple(args.kinds)
    for workers, spammers, gold in itertools.product(args.workers, args.spammers, args.gold):
        parts = [
            run(
                some,
                seed,
                adaptive=args.adaptive,
                workers=workers,
                spammers=spammers,
                heavy=heavy,
                gold=gold,
                kinds=kinds,
            )
            for heavy, seed in itertools.product((False, True), args.seeds)
        ]
        for name, picked in (("Gaussian", parts[: len(args.seeds)]), ("heavy", parts[len(args.seeds) :])):
            row = {"workers": workers, "spammers": spammers, "gold": gold, "errors": name, **summarise(picked)}
            rows.append(row)
            print(line(row), flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


def run(some: list[Any], seed: int, *, adaptive: bool, **crowded: Any) -> list[dict[str, float]]:
    """Figures of one crowd, a row per sequence."""
    cases = crowd(some, seed, **crowded)
    began = time.process_time()
    results, _ = evaluate(cases, adaptive=adaptive)
    spent = time.process_time() - began
    rows = []
    for case, result in zip(cases, results, strict=True):
        best, ours = score(case.truth, bound(case), 0.0), result.figures["consensus"]
        single = result.figures["best"]
        rows.append(
            {"hota": ours.hota, "idf1": ours.idf1, "bound_hota": best.hota, "bound_idf1": best.idf1}
            | {"single_hota": single.hota, "single_idf1": single.idf1, "mean_workers": ours.workers, "seconds": spent}
        )
    return rows


def summarise(parts: Sequence[Sequence[dict[str, float]]]) -> dict[str, float]:
    """Means over sequences and seeds, shares of the bound, and how often the best single worker was not beaten."""
    names = list(parts[0][0])
    table = np.array([[[row[name] for name in names] for row in rows] for rows in parts])
    mean = dict(zip(names, table.mean(axis=(0, 1)).tolist(), strict=True))
    by_sequence = dict(zip(names, table.mean(axis=0).T, strict=True))
    each = dict(zip(names, np.moveaxis(table, 2, 0), strict=True))
    for name in ("hota", "idf1"):
        mean[f"share_{name}"] = mean[name] / mean[f"bound_{name}"]
        mean[f"worst_{name}"] = float((by_sequence[name] / by_sequence[f"bound_{name}"]).min())
        mean[f"unbeaten_{name}"] = int((each[name] <= each[f"single_{name}"]).sum())
    return mean | {"videos": table.shape[0] * table.shape[1]}


def line(row: dict[str, Any]) -> str:
    def both(name: str) -> str:
        return f"{row[f'{name}_hota']:.3f}/{row[f'{name}_idf1']:.3f}"

    who = f"{row['workers']} workers ({row['mean_workers']:.2f})"
    crowded = f"{who}, {row['spammers']:.0%} spam, {row['gold']:.0%} gold"
    unbeaten = f"{row['unbeaten_hota']}/{row['unbeaten_idf1']} of {row['videos']}"
    return (
        f"{crowded}, {row['errors']:8}: HOTA/IDF1 {row['hota']:.3f}/{row['idf1']:.3f}, bound {both('bound')}, "
        f"share {both('share')}, worst {both('worst')}, best single {both('single')}, not beaten {unbeaten}"
    )


if __name__ == "__main__":
    main()
