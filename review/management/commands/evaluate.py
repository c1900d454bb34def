"""`manage.py evaluate`: consensus and stitching on files, without a database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from review.core.cases import Case, read_case
from review.core.evaluating import Figures, Result, evaluate, mean_figures
from review.core.learning import Learnt
from review.core.lines import BadLine
from review.core.steps import Step, Told, nobody
from review.core.writing import class_numbers, doubtful_json, make_folder, write_result

COLUMNS = {"hota": "HOTA", "idf1": "IDF1", "mota": "MOTA", "mean_iou": "mean IoU", "workers": "workers"}

Given = TypeVar("Given")


class Command(BaseCommand):
    help = "Make the consensus of submissions on files, stitch it and compare it with the truth."
    requires_system_checks: list[str] = []  # no database, no storage

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--case", nargs=3, action="append", required=True, metavar=("NAME", "GT.txt", "SUBMISSIONS.jsonl")
        )
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--adaptive", action="store_true", help="ask for submissions one at a time, in file order")
        parser.add_argument("--choose", action="store_true", help="with --adaptive: the most exact workers first")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["choose"] and not options["adaptive"]:
            raise CommandError("--choose says whom --adaptive asks first: give both")
        cases = _read(options["case"])
        for case in cases:
            if not case.tasks:
                self.stderr.write(f"{case.name}: no submissions")
            _trying(make_folder, options["out"], case.name)
        with self._telling(options["verbosity"]) as told:
            results, learnt = evaluate(cases, adaptive=options["adaptive"], choose=options["choose"], on_step=told)
        write = partial(write_result, classes=class_numbers(results))
        folders = [_trying(write, options["out"], result) for result in results]
        if options["json"]:
            self.stdout.write(json.dumps(report(results, learnt), indent=1))
        else:
            self._show(results, folders)

    def _show(self, results: list[Result], folders: list[Path]) -> None:
        """As a table. Names are shown as they are, and with escapes where stdout cannot hold them: the files are
        written by now, so this must not fail."""
        self.stdout.ending = ""  # lines have their ends
        width = None if self.stdout.isatty() else 100
        console = Console(file=self.stdout, width=width, markup=False, emoji=False, highlight=False)
        with console.capture() as shown:
            _print(console, results, folders)
        try:
            self.stdout.write(shown.get())
        except UnicodeEncodeError as error:
            self.stdout.write(shown.get().encode(error.encoding, "backslashreplace").decode(error.encoding))

    @contextmanager
    def _telling(self, verbosity: int) -> Iterator[Told]:
        """Where steps are told: on stderr, as a line that changes on a terminal, as lines with --verbosity 2."""
        console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        if verbosity > 1:
            yield lambda step: self.stderr.write(_said(step), style_func=str)
        elif verbosity and console.is_terminal:
            with console.status(Text("beginning"), spinner="line") as status:  # a spinner that ASCII has
                yield lambda step: status.update(Text(_said(step)))
        else:
            yield nobody


def _said(step: Step) -> str:
    case = f": case {step.case} of {step.cases} ({step.name})" if step.case else ""
    return step.doing + case + (f", task {step.task} of {step.tasks}" if step.task else "")


def _read(named: list[list[str]]) -> list[Case]:
    names = [name for name, _, _ in named]
    for name in names:
        if not name or name in {".", ".."} or "/" in name or "\0" in name:
            raise CommandError(f"--case {name!r}: a case's name is also a folder's: no slashes, not empty")
    if len(set(names)) < len(names):
        raise CommandError("--case: two cases have one name")
    try:
        return [read_case(name, Path(truth), Path(submissions)) for name, truth, submissions in named]
    except (BadLine, OSError) as error:
        raise CommandError(str(error)) from error


def _trying(write: Callable[[Path, Given], Path], out: Path, given: Given) -> Path:
    try:
        return write(out, given)
    except OSError as error:
        raise CommandError(f"--out: {error}") from error


def report(results: list[Result], learnt: Learnt) -> dict[str, Any]:
    """Everything that is printed, and the skills, as JSON."""
    return {
        "cases": {
            r.name: {who: asdict(f) for who, f in r.figures.items()}
            | {"doubtful_joins": sum(j.doubtful for j in r.whole.stitched.joins), "doubtful": doubtful_json(r.whole)}
            for r in results
        },
        "mean": {who: asdict(f) for who, f in mean_figures(results).items()},
        "workers": {worker: asdict(skill) for worker, skill in sorted(learnt.skills.items())},
    }


def _print(console: Console, results: list[Result], folders: list[Path]) -> None:
    table = Table("case", "who", *COLUMNS.values(), title="Against the truth")
    for result in results:
        _rows(table, result.name, result.figures)
    if len(results) > 1:
        _rows(table, "mean", mean_figures(results))
    console.print(table)
    for result in results:
        for join in (j for j in result.whole.stitched.joins if j.doubtful):
            console.print(f"doubtful join in {result.name}: {join.left} with {join.right}, {join.confidence:.2f}")
    for folder in folders:
        console.print(f"written: {folder}/consensus.txt, consensus.json", soft_wrap=True)


def _rows(table: Table, name: str, figures: Any) -> None:
    shown: Figures
    for who, shown in figures.items():
        values = (f"{getattr(shown, column):.3f}" for column in COLUMNS)
        table.add_row(name, {"best": "best single worker", "median": "median worker"}.get(who, who), *values)
        name = ""
    table.add_section()
