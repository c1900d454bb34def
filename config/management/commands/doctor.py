from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from annotation import tidying
from config import checking
from config.checking import Finding


class Command(BaseCommand):
    """Looks at everything that the installation stands on, and never stops at the first thing that is wrong."""

    help = "Says what is misconfigured and how to mend it. Exit code 1 if anything is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--files", action="store_true", help="also look for every file that the database names: after a restore"
        )

    def handle(self, *args: object, files: bool, **options: object) -> None:
        findings = checking.everything()
        if files:
            findings.append(checking.look("every file", self._every_file, checking.LOST))
        for finding in findings:
            self._tell(finding)
        wrong = sum(not finding.ok for finding in findings)
        if wrong:
            raise CommandError(f"{wrong} of {len(findings)} things are wrong")
        self.stdout.write("all is well")

    def _tell(self, finding: Finding) -> None:
        self.stdout.write(f"{'ok   ' if finding.ok else 'WRONG'} {finding.name}: {finding.found}")
        if not finding.ok:
            self.stdout.write(f"      → {finding.mend}")

    def _every_file(self) -> str:
        total, missing = tidying.count_files(), 0
        with Progress(console=Console(stderr=True), transient=True) as progress:
            looking = progress.add_task("looking for files", total=total)
            for one in tidying.missing_files(lambda: progress.advance(looking)):
                missing += 1
                self.stdout.write(f"missing: {one.file} of {one.kind} {one.id}")
        if missing:
            raise checking.Wrong(f"{missing} of {total} are not in the storage")
        return f"{total} are in the storage"
