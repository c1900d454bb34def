"""Simulated workers that claim, draw and submit through the real verbs, under real leases, all at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from django.db import connection, transaction

from annotation.core.tracks import Tracks, to_json
from annotation.models import Project, User
from config.demo.material import LABEL
from crowd import claiming, holding, publishing, submitting
from crowd.api.assignments import WHOLE, read_work
from crowd.core.simulation import Worker, draw
from crowd.lifecycle import BatchStatus
from crowd.models import Assignment, Batch
from crowd.simulating import within

NOTHING_TO_DO_S = 0.3


@dataclass
class Crowd:
    """A thread for each worker until the batch is over. `errors` holds what went wrong in any of them."""

    project: Project
    batch: Batch
    truth: Tracks
    seed: int
    on_submitted: Callable[[str], None]
    errors: list[Exception] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def work(self, people: dict[str, tuple[User, Worker]]) -> list[threading.Thread]:
        """Start everybody; the threads end when the batch does."""
        threads = [
            threading.Thread(target=self._career, args=(user, brain, i), name=name, daemon=True)
            for i, (name, (user, brain)) in enumerate(people.items())
        ]
        for thread in threads:
            thread.start()
        return threads

    def _career(self, user: User, brain: Worker, number: int) -> None:
        rng = np.random.default_rng([self.seed, number])
        try:
            while not self.over.is_set():
                if not self._one(user, brain, rng):
                    time.sleep(NOTHING_TO_DO_S)
        except Exception as error:  # noqa: BLE001  whoever waits for the crowd raises it
            self.errors.append(error)
        finally:
            connection.close()

    def _one(self, user: User, brain: Worker, rng: np.random.Generator) -> bool:
        """One task from claim to submission; False where there is nothing to do at the moment."""
        with transaction.atomic():
            claim = claiming.claim(worker=user, project=self.project)
            if claim is None:
                publishing.advance_for(worker=user, project=self.project)
        if claim is None:
            return False
        seat = Assignment.objects.select_related(*WHOLE).get(pk=claim.seat.pk)
        segment = seat.task.segment
        size = (float(segment.video.width or 0), float(segment.video.height or 0))
        drawn = to_json(within(draw(self.truth, segment.start, segment.stop, brain, rng, *size), *size, [LABEL]))
        token = seat.token or ""
        with transaction.atomic():
            holding.save_draft(seat=seat, token=token, body=json.dumps(drawn))
        with transaction.atomic():
            tracks = read_work(seat, drawn)
            submitting.submit(seat=seat, token=token, tracks=tracks, body=json.dumps(drawn), worker=user)
        self.on_submitted(user.username)
        return True


def is_over(batch: Batch) -> bool:
    return Batch.objects.filter(pk=batch.pk, status__in=[BatchStatus.DONE, BatchStatus.CANCELLED]).exists()
