"""What `long_video` reads and writes straight in the database of its server, in processes of its own.

python -m benchmarks.long_video_rows decide VIDEO SEED | figures
"""

from __future__ import annotations

import json
import os
import sys

import numpy as np

from benchmarks.looped_footage import HEIGHT, WIDTH, truth_on
from crowd.core.simulation import draw, make_pool


def decide_all(video_id: str, seed: int) -> None:
    """Every segment of a video accepted as one simulated worker drew it."""
    from django.db import transaction

    from annotation import recording
    from annotation.lifecycle import Source
    from annotation.models import Video
    from annotation.queue import want
    from crowd.importing import open_done_batch
    from crowd.models import Task
    from crowd.presenting import current_policy
    from review.importing import accept_all

    video = Video.objects.select_related("project__owner").get(pk=video_id)
    project, rng = video.project, np.random.default_rng(seed)
    brain = make_pool(1, rng, spammers=0.0)[0]
    with transaction.atomic():
        batch = open_done_batch(project=project, video=video, policy=current_policy(project), by=project.owner)
        tasks = list(Task.objects.filter(batch=batch).select_related("segment").order_by("segment__index"))
        ranges = [(task.segment.start, task.segment.stop) for task in tasks]
        parts = [draw(truth_on(a, b), a, b, brain, rng, WIDTH, HEIGHT) for a, b in ranges]
        sets = [recording.store(tracks=part, video=video, source=Source.CONSENSUS) for part in parts]
        accept_all(batch, tasks, parts, sets, project.owner)
        want("stitch_video", video_id)


def figures() -> None:
    """Prints jobs in the order in which they began (kind, wall seconds, status, attempts), stitches (borders computed,
    bytes) and how many joins were asked for."""
    from annotation.models import Job
    from review.models import Join, Stitch

    rows = Job.objects.filter(started_at__isnull=False, finished_at__isnull=False).order_by("started_at")
    fields = rows.values_list("kind", "started_at", "finished_at", "status", "attempts")
    jobs = [[kind, (done - began).total_seconds(), status, tries] for kind, began, done, status, tries in fields]
    stitches = Stitch.objects.order_by("version").values_list("borders_computed", "payload")
    print(json.dumps([jobs, [[n, len(p)] for n, p in stitches], Join.objects.count()]))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if sys.argv[1] == "decide":
        decide_all(sys.argv[2], int(sys.argv[3]))
    else:
        figures()


if __name__ == "__main__":
    main()
