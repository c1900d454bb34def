"""Progress for the person at the keyboard: bars on a terminal, a line for every change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from trackweave_client.client import Client


@contextmanager
def bytes_bar(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how many bytes are done, and how many there are."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def share_bar(console: Console, what: str) -> Iterator[Callable[[float], None]]:
    """A bar that is told the share that is done, 0 to 1."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share: progress.update(task, completed=share)


def watch(client: Client, project: str, console: Console, *, every_s: float = 2.0, once: bool = False) -> bool:
    """Show a project's progress until nothing is left to do, or `once`; whether all of it is accepted."""
    project = client.project(project)["id"]
    columns = (TextColumn("segments"), BarColumn(), TextColumn("{task.completed}/{task.total}  {task.description}"))
    said = ""
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        while True:
            found = client.progress(project)
            done, total = found["segments"]["accepted"], found["segments"]["total"]
            bar.update(task, completed=done, total=total, description=described(found))
            line = f"{done} of {total} segments accepted: {described(found)}"
            if not console.is_terminal and line != said:
                console.print(said := line, highlight=False, soft_wrap=True)
            if once or is_over(found) or came_to_nothing(client, project, found):
                return bool(total) and done == total
            client.transport.sleep(every_s)


def is_over(progress: dict[str, Any]) -> bool:
    """Whether nothing is left to do for anybody: every task is done, or was given up."""
    tasks = progress["tasks"]
    return tasks["done"] + tasks["quarantined"] > 0 and not any(
        tasks[state] for state in ("opening", "open", "filled", "in_review")
    )


def came_to_nothing(client: Client, project: str, progress: dict[str, Any]) -> bool:
    """Whether no task is left because every batch was cancelled, or all of its videos were rejected."""
    if any(progress["tasks"].values()):
        return False
    ended = [batch["status"] in ("done", "cancelled") for batch in client.batches(project)]
    return bool(ended) and all(ended)


def described(progress: dict[str, Any]) -> str:
    """One line of what is under way."""
    seats, tasks = progress["seats"], progress["tasks"]
    said = [f"{seats['open']} seats open", f"{seats['held']} held", f"{progress['workers_active']} workers"]
    if tasks["in_review"]:
        said.append(f"{tasks['in_review']} wait for a reviewer")
    if tasks["quarantined"]:
        said.append(f"{tasks['quarantined']} given up")
    if (expected := (progress.get("eta_at") or {}).get("expected")) and not is_over(progress):
        said.append(f"done about {expected[:16].replace('T', ' ')} UTC")
    return ", ".join(said)
