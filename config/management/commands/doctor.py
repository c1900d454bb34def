from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from config import checking


class Command(BaseCommand):
    """Looks at everything that the installation stands on, and never stops at the first thing that is wrong."""

    help = "Says what is misconfigured and how to mend it. Exit code 1 if anything is."

    def handle(self, *args: object, **options: object) -> None:
        findings = checking.everything()
        for finding in findings:
            self.stdout.write(f"{'ok   ' if finding.ok else 'WRONG'} {finding.name}: {finding.found}")
            if not finding.ok:
                self.stdout.write(f"      → {finding.mend}")
        wrong = sum(not finding.ok for finding in findings)
        if wrong:
            raise CommandError(f"{wrong} of {len(findings)} things are wrong")
        self.stdout.write("all is well")
