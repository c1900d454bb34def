from __future__ import annotations

from annotation.management.commands import work


class Command(work.Command):
    """django-q2's own name for its workers, so that nobody starts a cluster that the jobs are not made for.

    docs/decisions/queue.md says why its cluster is not used.
    """
