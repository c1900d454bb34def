from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import Problem
from annotation.models import User
from config.disclosing import disclose
from config.forgetting import forget


class Command(BaseCommand):
    help = "Writes all that is kept about a person to a zip of JSON files, or erases the person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="write all that is kept about somebody")
        export.add_argument("name", help="their name or id")
        export.add_argument("--out", type=Path, required=True, help="the zip to write; never overwritten")
        erase = verbs.add_parser("erase", help="forget who somebody is; their labels stay")
        erase.add_argument("name", help="their name or id")
        erase.add_argument("--forfeit", action="store_true", help="although they are owed money, or may be")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        user = User.objects.filter(username=name).first() or User.objects.filter(pk=name).first()
        if user is None:
            raise CommandError(f"there is nobody called {name}")
        if options["verb"] == "export":
            self._export(user, options["out"])
        else:
            self._erase(user, options["forfeit"])

    def _export(self, user: User, out: Path) -> None:
        if out.exists():
            raise CommandError(f"{out} exists already")
        out.touch(mode=0o600)
        for name, count in disclose(user=user, out=out).items():
            self.stdout.write(f"{count:8} {name}")
        self.stdout.write(str(out))

    def _erase(self, user: User, forfeit: bool) -> None:
        try:
            stays = forget(user=user, forfeit=forfeit)
        except Problem as problem:
            raise CommandError(problem.detail) from None
        self.stdout.write(f"{user.pk} has no name any more; use this id to run it again.")
        for sentence in stays:
            self.stdout.write(sentence)
