"""HTTP: claim + submit against an endpoint that authenticates the same way, reads the same body and commits a row.

    python -m benchmarks.claims_http [--cycles 60] [--rounds 5]

Both are asked in this process, over the whole stack (middleware, authentication by token, parsing, the answer as
bytes), on PostgreSQL, in turns; what a web server adds is the same for both and would only bring the ratio nearer
to 1. The plain endpoint is asked twice a cycle, with the body of the claim and with that of the submission.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.test.utils import override_settings, setup_databases, teardown_databases  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from annotation import queue, tokens  # noqa: E402
from annotation.models import Clip, Job  # noqa: E402
from config import urls  # noqa: E402
from crowd.models import Batch  # noqa: E402
from tests import cast, servers  # noqa: E402
from tests.crowd import stage  # noqa: E402
from tests.races.test_plans import many_seats  # noqa: E402


class Plain(APIView):
    def post(self, request: Request) -> Response:
        with transaction.atomic():
            row = Job.objects.create(kind="plain", subject=str(len(request.data)), status="done")
        return Response({"id": row.pk})


urlpatterns = [path("plain/", Plain.as_view()), *urls.urlpatterns]


def cycle(worker: APIClient, batch: Batch) -> tuple[dict[str, Any], dict[str, Any]]:
    """The bodies of a claim and of its submission, both of which succeeded."""
    wish = {"project": batch.project_id}
    answer = worker.post(f"{stage.API}/assignments/claim/", wish)
    assert answer.status_code == 201, answer.content
    seat = answer.json()
    segment = seat["segment"]
    work = {"token": seat["token"], "tracks": stage.tracks(segment["start"], segment["stop"])}
    assert worker.post(f"{stage.API}/assignments/{seat['id']}/submit/", work).status_code == 200
    return wish, work


def plain(worker: APIClient, bodies: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for body in bodies:
        assert worker.post("/plain/", body).status_code == 200


def timed(what: Any, *args: Any) -> tuple[float, float]:
    """Seconds of the wall's clock and of this process's processor."""
    began, cpu = time.perf_counter(), time.process_time()
    what(*args)
    return time.perf_counter() - began, time.process_time() - cpu


def compare(batch: Batch, *, cycles: int, rounds: int) -> None:
    """One and the other in turns, a cycle each, so that what else the machine does falls on both."""
    ratios, rows = [], []
    for i in range(rounds):
        worker = APIClient(HTTP_AUTHORIZATION=f"Token {tokens.issue(user=cast.user(f'worker{i}'))}")
        bodies = cycle(worker, batch)
        plain(worker, bodies)
        both = [(*timed(plain, worker, bodies), *timed(cycle, worker, batch)) for _ in range(cycles)]
        theirs, _, ours, _ = (sum(column) for column in zip(*both, strict=True))
        ratios.append(theirs / ours)
        rows += both
    theirs, their_cpu, ours, our_cpu = (1000 * statistics.median(column) for column in zip(*rows, strict=True))
    print(f"claim + submit: median {ours:.1f} ms, {our_cpu:.1f} ms of them this process's processor")
    print(f"two plain requests: median {theirs:.1f} ms, {their_cpu:.1f} ms")
    print(f"ratio of the medians {theirs / ours:.2f}, of whole rounds {', '.join(f'{r:.2f}' for r in ratios)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seats", type=int, default=5000)
    args = parser.parse_args()
    servers.start_postgres()
    old = setup_databases(verbosity=0, interactive=False)
    queue.wake = lambda key: None
    try:
        batch = many_seats(args.seats, gold_share=0.05)
        clip = Clip.objects.filter(segment__task__batch=batch).values().first()
        clips = [Clip(**clip | {"segment_id": f"seg{n}"}) for n in range(1, args.seats // 10 + 1)]
        Clip.objects.bulk_create(clips)
        with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"]):
            compare(batch, cycles=args.cycles, rounds=args.rounds)
    finally:
        teardown_databases(old, verbosity=0)


if __name__ == "__main__":
    main()
