from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from annotation.working import Worker


class Command(BaseCommand):
    """One job worker; as many of them as wanted may run, on as many machines as share the database and the files."""

    help = "Does jobs until it is told to stop. `serve` starts its own workers; a larger set-up runs more of these."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--parent", type=int, help="end when this process is no longer the parent")

    def handle(self, *args: object, **options: object) -> None:
        Worker(parent=options["parent"]).work()
