"""Identity switches of the consensus, and whether most of the workers made them too.

    python -m benchmarks.consensus_switches [--seeds 1] [--workers 3 5]

Frames are matched with the truth as MOTChallenge does (IoU 0.5, what was matched before stays matched). Where a true
object's track changes within a segment, each worker who drew the object on both sides, up to ten frames from the
change, says by the same matching whether it is one object or two; a switch that no majority of those made is the
consensus's own. Beside it, how often a worker switches on average.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from annotation.core.metrics import count_switches, follow
from annotation.core.overlaps import overlaps
from annotation.core.tracks import Dense, Ints, Tracks, fill
from benchmarks.consensus_crowds import crowd, sequences
from review.core.cases import Case
from review.core.evaluating import Result, evaluate

NEAR = 10  # frames from the change on which a worker is asked


def partners(truth: Dense, drawn: Tracks) -> Ints:
    """The row of `drawn` that each true object is matched with on each frame, -1 for none."""
    own = fill(drawn.tracks, truth.start, truth.stop)
    return follow(truth, own, overlaps(truth, own))


def changes(partner: Ints) -> list[tuple[int, int, int]]:
    """Object, the last frame before its track changes, and the first after."""
    row, frame = np.nonzero(partner >= 0)
    who = partner[row, frame]
    at = np.flatnonzero((np.diff(row) == 0) & (np.diff(who) != 0))
    return [(int(row[i]), int(frame[i]), int(frame[i + 1])) for i in at]


def makes(partner: Ints, change: tuple[int, int, int]) -> bool | None:
    """Whether a worker has two tracks on either side of a change; None where one side is not drawn."""
    row, last, first = change
    sides = partner[row, max(0, last + 1 - NEAR) : last + 1], partner[row, first : first + NEAR]
    usual = [np.bincount(side[side >= 0]).argmax() if (side >= 0).any() else None for side in sides]
    return None if None in usual else bool(usual[0] != usual[1])


def part(truth: Dense, start: int, stop: int) -> Dense:
    boxes, present, occluded = (a[:, start:stop] for a in (truth.boxes, truth.present, truth.occluded))
    return replace(truth, start=start, boxes=boxes, present=present, occluded=occluded)


def of_segment(truth: Dense, drawn: Sequence[Tracks], consensus: Tracks) -> Counter[str]:
    """What is counted of one segment's workers and consensus."""
    found = [partners(truth, tracks) for tracks in drawn]
    counts = Counter(theirs=sum(count_switches(f) for f in found))
    for change in changes(partners(truth, consensus)):
        said = [s for f in found if (s := makes(f, change)) is not None]
        counts.update(made=1, own=int(bool(said) and 2 * sum(said) <= len(said)), unseen=int(not said))
    return counts


def of_video(case: Case, result: Result) -> Counter[str]:
    parts = zip(case.tasks, result.consensuses, strict=True)
    each = (of_segment(part(case.truth, t.start, t.stop), [d.tracks for d in t.drawn], c.tracks) for t, c in parts)
    return sum(each, Counter())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--workers", type=int, nargs="+", default=[3, 5])
    args = parser.parse_args()
    some = sequences()
    for workers, bad, heavy in itertools.product(args.workers, (0.0, 0.2), (False, True)):
        counts: Counter[str] = Counter()
        for seed in args.seeds:
            cases = crowd(some, seed, workers=workers, spammers=bad, heavy=heavy)
            for case, result in zip(cases, evaluate(cases)[0], strict=True):
                counts += of_video(case, result)
        print(
            f"{workers} workers, {bad:.0%} spam, {'heavy' if heavy else 'Gaussian'}: {counts['made']} switches, "
            f"{counts['own']} its own, {counts['unseen']} unseen; a worker makes {counts['theirs'] / workers:.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
