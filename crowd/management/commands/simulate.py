"""`manage.py simulate`: a crowd over HTTP, for trying out a server and for tests."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from annotation.core.problems import Invalid
from annotation.core.tracks import Tracks
from annotation.formats.mot import read_mot
from crowd.core.simulation import KINDS, Worker, make_pool
from crowd.simulating import Person, Simulation, SimulationFailed, person


class Command(BaseCommand):
    help = "Lets simulated workers do a project's tasks over HTTP."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True)
        parser.add_argument("--project", required=True, help="its id or unique name")
        parser.add_argument("--truth", required=True, type=Path, help="ground truth in MOT form")
        parser.add_argument("--people", required=True, type=Path, help="csv of name,token as `adduser --file` prints")
        parser.add_argument(
            "--profile",
            type=Path,
            help='JSON: {"workers": {name: {field: value} | "perfect"}, "spammers": share, "spread": …}; '
            f"fields of a worker are {', '.join(_fields())}",
        )
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--patience", type=float, default=10.0, help="seconds without work before they go home")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_url(options["url"])
        truth, tokens = _truth(options["truth"]), _tokens(options["people"])
        brains = _brains(list(tokens), options["profile"], options["seed"])
        crowd = [
            person(name, token, options["url"], brains[name], options["seed"] * 1000 + i)
            for i, (name, token) in enumerate(tokens.items())
        ]
        columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("submissions", total=None)
            simulation = Simulation(
                truth, options["project"], options["patience"], on_submitted=lambda _: progress.advance(bar)
            )
            done = self._run(simulation, crowd)
        self.stdout.write(f"{done} submissions: " + ", ".join(f"{p.name} {p.submitted}" for p in crowd))

    def _run(self, simulation: Simulation, crowd: list[Person]) -> int:
        try:
            return simulation.run(crowd)
        except (SimulationFailed, httpx.HTTPError) as error:
            raise CommandError(str(error)) from error


def _check_url(url: str) -> None:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise CommandError(f"--url: {url!r} is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.host:
        raise CommandError(f"--url: {url!r} is no address; it begins with http:// or https://")


def _fields() -> list[str]:
    return [f.name for f in fields(Worker) if f.name != "name"]


def _truth(path: Path) -> Tracks:
    try:
        return read_mot(path.read_bytes())
    except (Invalid, OSError) as error:
        raise CommandError(f"--truth: {error}") from error


def _tokens(path: Path) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row]
    except OSError as error:
        raise CommandError(f"--people: {error}") from error
    found = {row[0].strip(): row[-1].strip() for row in rows if len(row) >= 2 and row[-1].strip() != "token"}
    if not found:
        raise CommandError("--people: the file names nobody; it is a csv of name,token")
    return found


def _brains(names: list[str], profile: Path | None, seed: int) -> dict[str, Worker | None]:
    """How each worker errs: a pool drawn at random, and what the profile says of some by name."""
    said = _profile(profile) if profile else {}
    share, spread = said.get("spammers", 0.2), said.get("spread", 0.4)
    pool = make_pool(len(names), np.random.default_rng(seed), spammers=share, spread=spread)
    brains: dict[str, Worker | None] = dict(zip(names, pool, strict=True))
    for name, how in said.get("workers", {}).items():
        if name in brains:
            brains[name] = None if how == "perfect" else _worker(name, how)
    return brains


def _worker(name: str, how: Any) -> Worker:
    unknown = sorted(set(how) - set(_fields())) if isinstance(how, dict) else ["?"]
    if unknown:
        raise CommandError(f"--profile: {name}: unknown {', '.join(unknown)}; there are {', '.join(_fields())}")
    if how.get("spammer") not in (None, *KINDS):
        raise CommandError(f"--profile: {name}: a spammer is one of {', '.join(KINDS)}")
    return Worker(name=name, **how)


def _profile(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"--profile: {error}") from error
    if not isinstance(said, dict):
        raise CommandError("--profile: must be a JSON object")
    return said
