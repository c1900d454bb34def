"""Videos: registered under a name of ours, indexed, and settled by a decode pass in stretches.

`index` and `verify` run outside of transactions, may die at any line and may run twice: what they found is written by
one conditional UPDATE each.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.db import transaction
from django.db.models import F

from annotation.core.values import name_problem
from annotation.errors import Conflict, Invalid
from annotation.lifecycle import Event, VideoStatus
from annotation.media.errors import LimitReached, Rejected
from annotation.media.indexing import Index
from annotation.media.sandboxed import sandboxed_index, sandboxed_settle
from annotation.media.warnings import Warning, warning
from annotation.models import FrameMapRow, Project, User, Video
from annotation.notifying import announce
from annotation.queue import want
from annotation.settling import AlreadySettled, Stretches, end_there, read_frame_map, tell, told
from annotation.storing import Stored, keep, local_path

NAME_LENGTH = 200
#: Fresh children that may fail at one place before the file is blamed.
PATIENCE = 3
GIVEN_UP = "Reading the video was given up after several attempts. Export it again as mp4 (H.264) and upload that."


class NotReady(Conflict):
    """The video is still being indexed."""

    code = "video-not-ready"


class InvalidVideo(Invalid):
    """The video cannot be registered like this."""


def register(*, project: Project, file: Stored | Path | str | IO[bytes] | File, name: str, by: User | None) -> Video:
    """A new video, `uploaded`, and the job that indexes it. InvalidVideo where the name will not do.

    A large file is better `storing.keep`-t before the transaction opens and handed in as Stored.
    """
    if problem := video_name_problem(name):
        raise InvalidVideo.at("/name", problem)
    stored = file if isinstance(file, Stored) else keep(file, "videos")
    video = Video.objects.create(
        project=project, name=name, file=stored.name, bytes=stored.bytes, sha256=stored.sha256, uploaded_by=by
    )
    want("index_video", video.pk)
    return video


def video_name_problem(name: object) -> str | None:
    """Why something is no name of a video, or None. Exports make folders of these names."""
    problem = name_problem(name, NAME_LENGTH)
    if problem or not isinstance(name, str):
        return problem
    if "/" in name or "\\" in name or name in (".", ".."):
        return "must not hold a slash or be only dots: exports make folders of it"
    return None


def name_of_file(name: str) -> str:
    """A file's own name as far as it can be a video's."""
    plain = "".join(c for c in name.replace("/", "_").replace("\\", "_") if unicodedata.category(c)[0] != "C")
    plain = plain.strip()[:NAME_LENGTH].strip()
    return "video" if video_name_problem(plain) else plain


def index(video_id: str) -> None:
    """Find a video's frames and facts: `uploaded → indexing → ready`, or `rejected` with a reason to act on."""
    rows = Video.objects.filter(pk=video_id)
    rows.filter(status=VideoStatus.UPLOADED).update(status=VideoStatus.INDEXING)
    video = rows.filter(status=VideoStatus.INDEXING).first()
    if video is None:
        return
    try:
        with local_path(video.file) as path:
            found = _patiently(lambda: sandboxed_index(path))
        if not len(found.frame_map):
            raise Rejected("The file holds no frames. It may have been cut off; upload it again.")
    except (Rejected, LimitReached) as error:
        _reject(video_id, str(error), of=(VideoStatus.INDEXING,))
        return
    with transaction.atomic():
        found = replace(found, warnings=(*found.warnings, *_same_file(video)))
        if rows.filter(status=VideoStatus.INDEXING).update(**facts(found)):
            FrameMapRow.objects.update_or_create(video_id=video_id, defaults={"payload": found.frame_map.pack()})
            announce(project_id=video.project_id, event=Event.VIDEO_READY, video=video_id, frames=len(found.frame_map))
            tell(video_id)


def _same_file(video: Video) -> list[Warning]:
    """A second copy is taken, since it may be meant, but nobody should pay for it unawares."""
    same = Video.objects.filter(project=video.project_id, sha256=video.sha256, created_at__lt=video.created_at)
    first = same.exclude(pk=video.pk).exclude(status=VideoStatus.REJECTED).order_by("created_at", "pk").first()
    return [warning("same_file", name=first.name)] if first else []


def reject(video_id: str, reason: str) -> None:
    """Give up on a video that could not be indexed; the job's row keeps the machine's reason."""
    _reject(video_id, GIVEN_UP, of=(VideoStatus.UPLOADED, VideoStatus.INDEXING))


def _reject(video_id: str, reason: str, *, of: tuple[str, ...]) -> None:
    rows = Video.objects.filter(pk=video_id, status__in=of)
    with transaction.atomic():
        if rows.update(status=VideoStatus.REJECTED, reason=reason):
            project_id = Video.objects.values_list("project_id", flat=True).get(pk=video_id)
            announce(project_id=project_id, event=Event.VIDEO_REJECTED, video=video_id, reason=reason)


def facts(found: Index) -> dict[str, Any]:
    """The columns of a video that its index fills."""
    return {
        "status": VideoStatus.READY,
        "frame_count": len(found.frame_map),
        "settled_frames": found.frame_map.settled,
        "width": found.width,
        "height": found.height,
        "fps": found.fps,
        "duration_s": found.duration_s,
        "variable_frame_rate": found.variable_frame_rate,
        "warnings": told(found.warnings),
        "frame_map_sha256": found.frame_map.sha256,
    }


def require_ready(video: Video) -> None:
    """NotReady unless the video is ready."""
    if video.status == VideoStatus.REJECTED:
        raise NotReady(f"The video was rejected: {video.reason}")
    if video.status != VideoStatus.READY:
        raise NotReady


def want_verify(video: Video) -> None:
    """Have a video settled from its frontier onwards, unless it is already."""
    if video.status == VideoStatus.READY and video.settled_frames < (video.frame_count or 0):
        want("verify_video", video.pk)


def verify(video_id: str) -> None:
    """Settle a video's frame map to its end, a stretch at a time; each stretch is committed and told of.

    Where a part of the file breaks every decoder child that looks at it, the video ends there, with a warning: what
    was settled before stays.
    """
    failures = 0
    while failures < PATIENCE:
        video = Video.objects.filter(pk=video_id, status=VideoStatus.READY, settled_frames__lt=F("frame_count")).first()
        if video is None:
            return
        try:
            with local_path(video.file) as path:
                stretches = Stretches(video)
                stretches.commit(sandboxed_settle(path, read_frame_map(video), stretches.commit))
            failures = 0 if stretches.committed else PATIENCE
            error: Exception = Rejected("the decoder stopped there without an error")
        except AlreadySettled:
            return
        except LimitReached as limit:
            failures, error = (0 if stretches.committed else failures + 1), limit
        except Rejected as rejected:
            failures, error = PATIENCE, rejected
    end_there(video_id, error)


def end_unreadable(video_id: str, reason: str) -> None:
    """Give up on settling a video further; the job's row keeps the machine's reason."""
    if Video.objects.filter(pk=video_id, status=VideoStatus.READY, settled_frames__lt=F("frame_count")).exists():
        end_there(video_id, Rejected(GIVEN_UP))


def _patiently(work: Callable[[], Index]) -> Index:
    """A child may die of what else goes on on the machine: only what fails again and again is the file's fault."""
    for _ in range(PATIENCE - 1):
        try:
            return work()
        except LimitReached:
            continue
    return work()
