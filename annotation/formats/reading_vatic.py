"""vatic's text dump: `track x1 y1 x2 y2 frame lost occluded generated "label" "attribute" …`, a line for each box.

Frames count from 0. Every line is a box of its own, `generated` ones (interpolated by vatic) too, so nothing has to be
computed anew; `lost` ones are absences. Attributes are marks that are there or not: truths of the project's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, InvalidFile, text_of, the_member
from annotation.formats.assembling import Target, assemble
from annotation.formats.gathering import Gathered

NUMBERS = 9  # then the label


def read_vatic(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a dump, or from a zip with one `.txt`. InvalidFile names the lines that are wrong."""
    target, problems, found = target or Target(), Problems(), Gathered()
    text = text_of(the_member(data, ".txt", video), "the file")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=" ", skipinitialspace=True)
    with problems.raising(InvalidFile):
        try:
            for cells in reader:
                _add(found, [c for c in cells if c], reader.line_num, target, problems)
        except csv.Error as error:
            problems.add(AT, f"line {reader.line_num}: {error}")
    return assemble(found.boxes(), target)


def _add(found: Gathered, cells: Sequence[str], line: int, target: Target, problems: Problems) -> None:
    if not cells:
        return
    try:
        track, *box, frame, lost, occluded, _ = map(int, cells[:NUMBERS])
    except ValueError:
        problems.add(AT, f"line {line}: must begin with nine whole numbers, not {shown(' '.join(cells[:NUMBERS]))}")
        return
    if len(cells) <= NUMBERS or len(box) != 4 or abs(frame) >= 2**31 or max(map(abs, (*box, track))) >= 2**31:
        problems.add(AT, f"line {line}: must be nine numbers of usual size and a label")
    elif not lost:
        label, marks = cells[NUMBERS], set(cells[NUMBERS + 1 :])
        known = target.ontology.by_name.get(label) if target.ontology else None
        unmarked = {a.name for a in known.attributes if a.kind == "boolean" and a.mutable} - marks if known else set()
        attributes = dict.fromkeys(sorted(marks), True) | dict.fromkeys(sorted(unmarked), False)
        found.add(line, frame, str(track), label, [float(v) for v in box], bool(occluded), attributes)
