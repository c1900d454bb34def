"""What a consensus is not sure of, to be looked at: one segment's objects over time, and its most disputed frame.

    python -m benchmarks.consensus_disputes [--sequence TUD-Campus] [--segment 0] [--seed 3] [--out DIR]

Of a simulated crowd of three with heavy-tailed errors. A row is an object of the consensus: thick where it is there,
in another colour where it is disputed, and a thin line for each worker on the frames on which one of that worker's
boxes is it (IoU of one half). Below, the frame with most disputes: everybody's boxes, the consensus, the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import match
from annotation.core.tracks import Bools, Dense, Floats, fill
from benchmarks.consensus_crowds import FOUND, crowd, sequences
from review.core.cases import Case
from review.core.consensus import Consensus
from review.core.evaluating import evaluate
from review.core.fusing import runs

WORKERS = ("#2a9d8f", "#8e5bd0", "#c2549d")
THERE, DISPUTED, TRUE = "#36c", "#e67e22", "#222"
LEFT, WIDE, ROW, SCENE = 70, 560, 16, 560
EDGE = 10  # frames from either end of the segment in which no frame is chosen: late starts are no disputes to look at


def followed(made: Dense, own: Dense) -> Bools:
    """Where one of a worker's boxes is each object, (objects, frames)."""
    found = np.zeros_like(made.present)
    for frame in range(made.present.shape[1]):
        rows, mine = np.flatnonzero(made.present[:, frame]), np.flatnonzero(own.present[:, frame])
        found[rows[match(iou(made.boxes[rows, frame], own.boxes[mine, frame]), FOUND).pairs[:, 0]], frame] = True
    return found


def disputes(consensus: Consensus) -> Bools:
    """(objects, frames)."""
    tracks = consensus.tracks
    out = np.zeros((len(tracks.tracks), tracks.stop - tracks.start), bool)
    for row, track in enumerate(tracks.tracks):
        for first, last in track.disputes:
            out[row, first - tracks.start : last - tracks.start] = True
    return out


def bars(mask: Bools, y: float, height: float, colour: str) -> list[str]:
    scale = WIDE / len(mask)
    placed = [(LEFT + a * scale, (b - a) * scale) for a, b in runs(mask)]
    return [f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{height}" fill="{colour}"/>' for x, w in placed]


def times(made: Dense, disputed: Bools, drawn: Sequence[Dense], sure: Sequence[float]) -> list[str]:
    """A row per object."""
    lines = []
    where = [followed(made, own) for own in drawn]
    for row in range(len(made.ids)):
        y = 22.0 + row * ROW
        lines.append(f'<text x="4" y="{y + 8}" font-size="10">{made.ids[row]}: {sure[row]:.2f}</text>')
        lines += bars(made.present[row], y, 5, THERE) + bars(disputed[row], y, 5, DISPUTED)
        for worker, found in enumerate(where):
            lines += bars(found[row], y + 6 + 2 * worker, 1.4, WORKERS[worker])
    return lines


def scene(at: int, top: float, sets: Sequence[tuple[Dense, str, str]]) -> tuple[list[str], float]:
    """Everybody's boxes of one frame, and how high that is; `sets` come with colours and how they are drawn."""
    boxes = [dense.boxes[dense.present[:, at], at] for dense, _, _ in sets]
    every = np.concatenate(boxes)
    (x, y), (right, bottom) = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    scale = min(SCENE / (right - x), 260 / (bottom - y))
    lines = []
    for here, (_, colour, style) in zip(boxes, sets, strict=True):
        placed: Floats = (here - [x, y, x, y]) * scale + [LEFT, top, LEFT, top]
        lines += [
            f'<rect x="{a:.1f}" y="{b:.1f}" width="{c - a:.1f}" height="{d - b:.1f}" stroke="{colour}" {style}/>'
            for a, b, c, d in placed.tolist()
        ]
    return lines, float(bottom - y) * scale


def picture(case: Case, segment: int, consensus: Consensus) -> str:
    task, tracks = case.tasks[segment], consensus.tracks
    made = fill(tracks.tracks, task.start, task.stop)
    drawn = [fill(d.tracks.tracks, task.start, task.stop) for d in task.drawn]
    disputed = disputes(consensus)
    lines = times(made, disputed, drawn, [t.confidence or 0.0 for t in tracks.tracks])
    inner = slice(EDGE, disputed.shape[1] - EDGE)
    worst = EDGE + int(disputed[:, inner].sum(axis=0).argmax())
    top = 22.0 + len(made.ids) * ROW
    mark = LEFT + (worst + 0.5) * WIDE / disputed.shape[1]
    lines.append(f'<line x1="{mark:.1f}" y1="16" x2="{mark:.1f}" y2="{top:.1f}" stroke="#999" stroke-dasharray="2 2"/>')
    truth = case.truth.cut(slice(task.start, task.stop))
    thin = 'stroke-width="1"'
    sets = [(made, THERE, 'stroke-width="3" opacity="0.6"')]
    sets += [(own, WORKERS[i], thin) for i, own in enumerate(drawn)]
    sets += [(truth, TRUE, 'stroke-width="1" stroke-dasharray="3 2"')]
    boxes, high = scene(worst, top + 34, sets)
    names = [*((f"worker {i + 1}", WORKERS[i]) for i in range(len(drawn))), ("truth", TRUE), ("consensus", THERE)]
    key = [f'<text x="{LEFT + 90 * i}" y="{top + 26}" fill="{c}">{name}</text>' for i, (name, c) in enumerate(names)]
    head = f"{case.name}, frames {task.start} to {task.stop}: each object's confidence, and where it is"
    said = [
        f'<text x="4" y="11">{head} <tspan fill="{THERE}">there</tspan>'
        f' and <tspan fill="{DISPUTED}">disputed</tspan></text>',
        f'<text x="4" y="{top + 26}">frame {task.start + worst}</text>',
    ]
    size = f'width="{LEFT + WIDE + 10}" height="{top + high + 44:.0f}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
    return "\n".join([start, *said, *lines, *key, f'<g fill="none">{"".join(boxes)}</g>', "</svg>\n"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", default="TUD-Campus")
    parser.add_argument("--segment", type=int, default=0)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path())
    args = parser.parse_args()
    cases = crowd(sequences(), args.seed, workers=len(WORKERS), spammers=0.0, heavy=True)
    results, _ = evaluate(cases)
    for case, result in zip(cases, results, strict=True):
        if case.name == args.sequence:
            made = result.consensuses[args.segment]
            shown = disputes(made)
            print(f"{case.name}: {len(shown)} objects, {shown.sum()} disputed boxes of {shown.size}")
            args.out.mkdir(parents=True, exist_ok=True)
            (args.out / "disputes.svg").write_text(picture(case, args.segment, made))


if __name__ == "__main__":
    main()
