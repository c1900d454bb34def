"""The people and things that tests are about: made in the database in milliseconds, the same everywhere.

    alice = cast.client("Alice")                # a DRF test client with Alice's token; JSON by default
    project = cast.project()                    # Alice's, with the labels below; Mona and Rita are members
    video = cast.video(project)                 # ready and settled: 60 frames with their number in the pixels
    cast.work_off()                             # do the jobs that are queued, in this process

Videos are encoded and indexed once per run, so only the first costs a moment.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from rest_framework.test import APIClient

from annotation import defining, ingesting, storing, tokens
from annotation.lifecycle import Role
from annotation.media.barcodes import BarcodeVideo, write_barcode_video
from annotation.media.indexing import Index, index
from annotation.media.settling import settle
from annotation.models import Clip, FrameMapRow, Member, Project, Segment, User, Video
from annotation.queue import work_off
from crowd import reading
from crowd.api import assignments
from tests import servers
from tests.openapi import CheckedClient

__all__ = ["client", "clip", "project", "user", "video", "video_file", "work_off"]

PEOPLE = {
    "Ada": Role.ADMIN,
    "Alice": Role.CLIENT,
    "Eve": Role.CLIENT,  # has nothing to do with Alice's projects
    "Mona": Role.MANAGER,
    "Max": Role.MANAGER,  # of no project
    "Rita": Role.REVIEWER,
    "Wanda": Role.WORKER,
    "Will": Role.WORKER,
    "Walt": Role.WORKER,
}
LABELS: list[dict[str, Any]] = [
    {
        "name": "person",
        "color": "#2080c0",
        "attributes": [
            {"name": "sex", "kind": "select", "values": ["f", "m"]},
            {"name": "pose", "kind": "select", "values": ["walking", "standing"], "mutable": True},
        ],
    },
    {"name": "car"},
]


def user(name: str) -> User:
    """One of PEOPLE by name, or a worker of any other name."""
    found = User.objects.filter(username=name).first()
    return found or User.objects.create_user(name, role=PEOPLE.get(name, Role.WORKER))


def client(name: str | None = None) -> APIClient:
    """A client with this person's token, or nobody's."""
    made = CheckedClient()
    if name is not None:
        who = user(name)
        key = tokens.recall(user=who)
        made.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return made


def project(owner: str = "Alice", name: str = "Crossing", labels: list[dict[str, Any]] | None = None) -> Project:
    """A project with Mona as its manager and Rita as its reviewer."""
    # SQLite gives its labels the id that those of an earlier test had.
    assignments.ontology_of.cache_clear()
    reading._labels.cache_clear()
    made = defining.create_project(owner=user(owner), name=name, labels=LABELS if labels is None else labels)
    for who, role in (("Mona", Role.MANAGER), ("Rita", Role.REVIEWER)):
        Member.objects.create(project=made, user=user(who), role=role)
    return made


def video(project: Project, frames: int = 60, *, name: str = "street.mp4", settled: int | None = None) -> Video:
    """A ready video, settled up to the frame `settled` (None: all of it); frame n shows the number n as a barcode."""
    found = _indexed(frames)
    stored = storing.keep(video_file(frames), "videos")  # in the storage of this test, which may be a bucket
    frame_map = replace(found.frame_map, settled=frames if settled is None else settled)
    made = Video.objects.create(
        project=project,
        name=name,
        file=stored.name,
        bytes=stored.bytes,
        sha256=stored.sha256,
        uploaded_by=project.owner,
        **ingesting.facts(found) | {"settled_frames": frame_map.settled},
    )
    FrameMapRow.objects.create(video=made, payload=frame_map.pack())
    return made


def clip(segment: Segment) -> Clip:
    """The row of a clip without its file, for tests that never look at it."""
    times = [k / 25 for k in range(segment.stop - segment.start)]
    facts = {"file": "clips/none", "bytes": 1, "sha256": "0" * 64, "width": 96, "height": 64}
    return Clip.objects.create(segment=segment, frame_times_s=times, **facts)


def video_file(frames: int = 60, suffix: str = "mp4", **how: Any) -> Path:
    """A small video on disk; `how` are the fields of `media.barcodes.BarcodeVideo`."""
    folder = servers.run_folder() / "videos"
    folder.mkdir(exist_ok=True)
    what = hashlib.sha256(repr((frames, sorted(how.items()))).encode()).hexdigest()[:16]
    path = folder / f"{what}.{suffix}"
    if not path.exists():
        draft = folder / f"{what}-{os.getpid()}.{suffix}"
        write_barcode_video(draft, frames, BarcodeVideo(**how))
        draft.rename(path)
    return path


@lru_cache
def _indexed(frames: int) -> Index:
    path = video_file(frames)
    found = index(path)
    return replace(found, frame_map=settle(path, found.frame_map))
