"""The demo's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from annotation.core.tracks import Tracks
from annotation.models import Project
from config.demo import scores
from crowd import reporting
from crowd.models import Batch
from review import measuring, watching


def people(console: Console, project: Project) -> None:
    """Each worker's figures, and the project's."""
    table = Table(title=f"The crowd of {project.name!r}", title_justify="left")
    for name in ("worker", "submitted", "accepted", "benchmark score", "agreement", "skill", "earned"):
        table.add_column(name, justify="left" if name == "worker" else "right")
    workers = list(reporting.workers_of(project).order_by("username"))
    for row in reporting.worker_figures(project=project, workers=workers):
        skill = row["skill"] or {}
        table.add_row(
            row["user"],
            str(row["submitted"]),
            str(row["accepted"]),
            _share(row["benchmark_score"]),
            _share(row["agreement"]),
            f"{_share(skill.get('mean'))} ({_share(skill.get('low'))}–{_share(skill.get('high'))})",
            f"{row['earned_micros'] / 1e6:.2f}",
        )
    console.print(table)
    measuring.measure(project_id=project.pk)
    _figures(console, watching.progress(project))


def _figures(console: Console, progress: Mapping[str, Any]) -> None:
    agreement, redundancy = progress["agreement"], progress["redundancy"]
    console.print(
        f"{progress['segments']['accepted']} of {progress['segments']['total']} segments accepted with "
        f"{progress['submissions']} submissions ({redundancy['mean'] or 0:.2f} workers per segment); "
        f"agreement {_share(agreement['mean'])}, alpha {_share(agreement['alpha'])}; "
        f"benchmark score {_share(progress['benchmark_score']['mean'])} over {progress['benchmark_score']['n']}"
    )


def quality(console: Console, truth: Tracks, tracks: Tracks, batch: Batch, frames: int) -> None:
    """The released tracks and the single workers against the truth."""
    table = Table(title="Against the truth", title_justify="left")
    for name in ("", "HOTA", "IDF1", "mean IoU"):
        table.add_column(name, justify="left" if not name else "right")
    singles = scores.single_workers(batch, truth, frames)
    for who, figures in {"consensus": scores.against_truth(truth, tracks, frames), **singles}.items():
        name = who if who == "consensus" else f"{who} single worker"
        table.add_row(name, f"{figures.hota:.3f}", f"{figures.idf1:.3f}", f"{figures.mean_iou:.3f}")
    console.print(table)


def logins(console: Console, passwords: Mapping[str, str], port: int) -> None:
    """One login for each role."""
    table = Table(title=f"http://127.0.0.1:{port}/", title_justify="left")
    for name in ("role", "name", "password"):
        table.add_column(name)
    for role, name in (("client", "alice"), ("manager", "mary"), ("reviewer", "rita"), ("worker", "worker1")):
        table.add_row(role, name, passwords[name])
    console.print(table)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
