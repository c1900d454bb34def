from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crowd.invariants import INVARIANTS, broken


class Command(BaseCommand):
    help = "Checks what must always be true of seats, submissions and money; fails with the rows of which it is not."

    def handle(self, *args: Any, **options: Any) -> None:
        found = broken()
        for sentence, rows in found.items():
            self.stdout.write(f"NOT TRUE: {sentence}")
            for row in rows:
                self.stdout.write("    " + ", ".join(str(value) for value in row))
        if found:
            raise CommandError(f"{len(found)} of {len(INVARIANTS)} sentences are not true.")
        self.stdout.write(f"All {len(INVARIANTS)} sentences are true.")
