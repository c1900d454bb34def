"""How good the demo's result is: the released tracks and the single workers, each against the truth."""

from __future__ import annotations

from annotation import recording
from annotation.core.metrics import Metrics, compare
from annotation.core.tracks import Tracks, fill
from crowd.lifecycle import FILLED_SEATS
from crowd.models import Assignment, Batch
from review.core.cases import Case, Drawn, Task
from review.core.evaluating import Figures, evaluate


def against_truth(truth: Tracks, tracks: Tracks, frames: int) -> Metrics:
    return compare(fill(truth.tracks, 0, frames), fill(tracks.tracks, 0, frames))


def single_workers(batch: Batch, truth: Tracks, frames: int) -> dict[str, Figures]:
    """The median and the best single worker, as `manage.py evaluate` defines them."""
    case = Case("demo", fill(truth.tracks, 0, frames), tuple(_tasks(batch)))
    result = evaluate([case])[0][0]
    return {who: figures for who, figures in result.figures.items() if who != "consensus"}


def _tasks(batch: Batch) -> list[Task]:
    seats = Assignment.objects.filter(batch=batch, extra=False, status__in=FILLED_SEATS)
    by_range: dict[tuple[int, int], list[Drawn]] = {}
    for line, seat in enumerate(seats.select_related("track_set", "worker").order_by("submitted_at", "pk"), 1):
        assert seat.track_set is not None and seat.worker is not None  # it was submitted
        tracks = recording.load(seat.track_set)
        by_range.setdefault((tracks.start, tracks.stop), []).append(Drawn(line, seat.worker.username, tracks))
    return [Task(start, stop, tuple(drawn), None) for (start, stop), drawn in sorted(by_range.items())]
