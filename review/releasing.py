"""Releases: immutable, numbered, each with a hash over its content."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction
from django.db.models import Max

from annotation.lifecycle import Event
from annotation.models import Ontology, Project, TrackSet, User, Video
from annotation.notifying import announce
from annotation.queue import want
from review.errors import NothingToRelease
from review.lifecycle import WorkStatus
from review.models import Join, Release, Stitch
from review.stitching import accepted_inputs, stitch_video, unpack


def release(*, project: Project, by: User | None) -> Release:
    """A release of every decision committed before this call; the same content gives the existing release.

    NothingToRelease where nothing was accepted yet.
    """
    # Locked, so that two calls at once get one number each, or the same release.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    decided = _decided(project)
    if not decided["videos"]:
        raise NothingToRelease
    digest = _digest(decided)
    existing = Release.objects.filter(project=project, decided_sha256=digest).first()
    if existing:
        if existing.status == WorkStatus.FAILED:
            Release.objects.filter(pk=existing.pk).update(status=WorkStatus.BUILDING, reason="")
            existing.refresh_from_db()
            want("build_release", existing.pk)
        return existing
    newest = Release.objects.filter(project=project).aggregate(newest=Max("number"))["newest"] or 0
    made = Release.objects.create(
        project=project, number=newest + 1, decided=decided, decided_sha256=digest, created_by=by
    )
    want("build_release", made.pk)
    return made


def _decided(project: Project) -> dict[str, Any]:
    videos = {}
    for video in Video.objects.filter(project=project, consensus__isnull=False).order_by("created_at", "id").distinct():
        inputs = accepted_inputs(video.pk)
        if inputs:
            videos[video.pk] = inputs
    verdicts = Join.objects.filter(video__in=videos, same__isnull=False).order_by("pk").values_list("pk", "same")
    ontology = Ontology.objects.filter(project=project).order_by("-version").values_list("version", flat=True).first()
    return {"ontology": ontology, "videos": videos, "verdicts": [list(v) for v in verdicts]}


def _digest(content: object) -> str:
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def build_release(*, release_id: str) -> None:
    """Stitch what is released, and close the release. Safe to die anywhere and to run twice."""
    row = Release.objects.get(pk=release_id)
    if row.status != WorkStatus.BUILDING:
        return
    # Verdicts that came after the call are not of this release.
    joins = {join for join, _ in row.decided["verdicts"]}
    stitches = {}
    for video_id, inputs in row.decided["videos"].items():
        stitches[video_id] = _stitched(video_id, inputs, joins)
        done = len(stitches) / (len(row.decided["videos"]) + 1)
        Release.objects.filter(pk=release_id, status=WorkStatus.BUILDING).update(progress=done)
    content = {"videos": {video_id: stitch.pk for video_id, stitch in stitches.items()}}
    parts = [_content(stitch) for stitch in stitches.values()]
    with transaction.atomic():
        sha256 = _digest([row.decided["ontology"], parts])
        if Release.objects.filter(pk=release_id, status=WorkStatus.BUILDING).update(
            status=WorkStatus.READY,
            content=content,
            sha256=sha256,
            videos=len(stitches),
            tracks=sum(stitch.track_count for stitch in stitches.values()),
            progress=1.0,
        ):
            announce(project_id=row.project_id, event=Event.RELEASE_READY, release=release_id, sha256=sha256)


def _stitched(video_id: str, inputs: list[list[str]], joins: set[str]) -> Stitch:
    stitch = stitch_video(video_id=video_id, inputs=inputs, joins=joins)
    assert stitch is not None  # a video without decisions is in no release
    return stitch


def _content(stitch: Stitch) -> list[Any]:
    """What the hash of a release covers of one video: nothing in it depends on when or by whom it was made."""
    hashes = dict(TrackSet.objects.filter(pk__in=[k for _, k in stitch.inputs]).values_list("pk", "sha256"))
    places = {segment: index for index, (segment, _) in enumerate(stitch.inputs)}
    identities = sorted([places[key], track, number] for (key, track), number in unpack(stitch).identities.items())
    return [
        stitch.video.sha256,
        stitch.video.frame_map_sha256,
        [hashes[track_set] for _, track_set in stitch.inputs],
        identities,
    ]


def fail_release(*, release_id: str, reason: str) -> None:
    rows = Release.objects.filter(pk=release_id)
    if rows.filter(status=WorkStatus.BUILDING).update(status=WorkStatus.FAILED, reason=reason):
        project_id = rows.values_list("project_id", flat=True).get()
        announce(project_id=project_id, event=Event.RELEASE_FAILED, release=release_id, reason=reason)
