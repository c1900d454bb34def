"""A project under way: a launched video whose tasks are open, and the steps of a worker over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from rest_framework.test import APIClient

from annotation import recording
from annotation.core.ontology import parse_labels
from annotation.core.parsing import parse_tracks
from annotation.lifecycle import Source
from annotation.models import Clip, Project, TrackSet, Video
from crowd import publishing
from crowd.core.policies import Policy, parse_policy
from crowd.models import Assignment, Batch, Task
from crowd.models import Policy as PolicyRow
from tests import cast

API = "/api/v1"


def launched(frames: int = 60, *, project: Project | None = None, **policy: Any) -> Batch:
    """A batch whose tasks are all open; clips are rows without files. Segments of 20 frames, unless said otherwise."""
    project = project or cast.project()
    return launch(project, cast.video(project, frames), ruled(project, **policy))


def ruled(project: Project, **policy: Any) -> Policy:
    """The project's first policy: small segments for two workers each."""
    values = {"segment_frames": 20, "overlap_frames": 2, "adaptive": False, "redundancy": 2, "gold_share": 0.0} | policy
    rules = parse_policy(values, base=Policy())
    PolicyRow.objects.create(project=project, version=1, values=rules.to_json())
    return rules


def launch(project: Project, video: Video, rules: Policy) -> Batch:
    batch = publishing.open_batch(project=project, videos=[video], policy=rules, by=project.owner)
    row = batch.batch_videos.get()
    publishing.prepare_video(batch_video_id=row.pk)
    for task in Task.objects.filter(batch=batch).select_related("segment").order_by("segment__index"):
        if not Clip.objects.filter(segment=task.segment).exists():
            cast.clip(task.segment)
        publishing.open_task(task_id=task.pk)
    batch.refresh_from_db()
    return batch


def tracks(start: int, stop: int, *, shift: float = 0.0, label: str = "person") -> list[dict[str, Any]]:
    """One object that crosses the picture of the cast's video."""
    first, last = [5.0 + shift, 5.0, 25.0 + shift, 45.0], [45.0 + shift, 8.0, 65.0 + shift, 48.0]
    keyframes = [{"frame": start, "points": first}, {"frame": stop - 1, "points": last}]
    return [{"id": "1", "label": label, "keyframes": keyframes}]


def claim(worker: APIClient, project: Project | None = None) -> dict[str, Any]:
    """A claim that has to succeed."""
    answer = try_claim(worker, project)
    assert answer.status_code in (200, 201), answer.content
    return answer.json()


def try_claim(worker: APIClient, project: Project | None = None) -> Any:
    return worker.post(f"{API}/assignments/claim/", {"project": project.pk} if project else {})


def submit(worker: APIClient, seat: dict[str, Any], drawn: list[dict[str, Any]] | None = None, **headers: Any) -> Any:
    """Send tracks (the usual object, unless given) for a claimed seat."""
    segment = seat["segment"]
    body = {"token": seat["token"], "tracks": tracks(segment["start"], segment["stop"]) if drawn is None else drawn}
    return worker.post(f"{API}/assignments/{seat['id']}/submit/", body, **headers)


def lapse(seat: dict[str, Any]) -> None:
    """Let the lease of a held seat run out."""
    Assignment.objects.filter(pk=seat["id"]).update(lease_until=Now() - timedelta(seconds=1))


def drawn(seat: Assignment) -> TrackSet:
    """A stored TrackSet as a worker would have drawn it for a seat."""
    segment = seat.task.segment
    ontology = parse_labels(cast.LABELS)
    body = {"tracks": tracks(segment.start, segment.stop)}
    work = parse_tracks(body, ontology=ontology, start=segment.start, stop=segment.stop, width=96, height=64)
    return recording.store(tracks=work, video=segment.video, source=Source.WORKER, author=seat.worker)


def policy_of(seat: Assignment) -> dict[str, Any]:
    return Batch.objects.get(pk=seat.batch_id).policy
