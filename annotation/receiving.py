"""Files that arrive in parts, in any number of requests, at any host: each part is a file in the storage and a row.

A part is written and synced first; then one conditional UPDATE moves the upload's offset over it, if that still stands
where the part begins. So of two requests that send the same bytes one is told where the upload stands, and whatever
the offset says is there. Nothing of an upload lies on the host that received it.
"""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Sum
from django.db.models.functions import Coalesce, Now
from django.urls import reverse

from annotation import storing
from annotation.core.resumable import MAX_BYTES
from annotation.errors import Conflict, Gone, NoRoom, Problem, Unusable
from annotation.ids import new_id
from annotation.ingesting import InvalidVideo, register, video_name_problem
from annotation.lifecycle import UploadStatus
from annotation.models import Project, Upload, UploadPart, User
from annotation.queue import want

# A little more than what comes at once of a long body (`config.pieces`), or each would end in a part of a few bytes.
PART_BYTES = 9 << 20
READ_BYTES = 64 << 10
KEPT = timedelta(days=1)
#: An upload that came to nothing is told of as gone for so long, then it was never there.
REMEMBERED = timedelta(days=7)
#: Room that is left to others.
RESERVE_BYTES = 2 << 30
FINISH_AFTER_S = 600
AT_ONCE = 200


class WrongOffset(Conflict):
    """The upload does not stand there; ask it where it does."""

    code = "wrong-offset"


class UploadGone(Gone):
    """The upload has expired or was ended."""

    code = "upload-gone"


class TooLarge(Problem):
    """There is more than may be sent."""

    status = 413
    code = "too-large"


class OtherContent(Unusable):
    """What arrived is not what was to be sent: its SHA-256 is another. Send the file again."""

    code = "other-content"


def begin(*, project: Project, name: str, bytes: int, sha256: str, by: User | None) -> Upload:
    """An upload that waits for its bytes. TooLarge or NoRoom where they would not fit."""
    if problem := video_name_problem(name):
        raise InvalidVideo.at("/Upload-Metadata", f"the name {problem}")
    if bytes > MAX_BYTES:
        raise TooLarge(f"At most {MAX_BYTES} bytes are taken.")
    _find_room(bytes, by)
    how = {"name": name, "bytes": bytes, "sha256": sha256, "created_by": by}
    made = Upload.objects.create(project=project, expires_at=_later(), **how)
    made.refresh_from_db()
    return made


def _find_room(bytes: int, by: User | None) -> None:
    """NoRoom where an upload and what is still to come of all others would not fit.

    Of what other people have promised at most half counts: who promises much and sends nothing shuts nobody out.
    """
    room = storing.room() - RESERVE_BYTES
    coming = Upload.objects.filter(status=UploadStatus.OPEN)
    mine, others = _coming(coming.filter(created_by=by)), _coming(coming.exclude(created_by=by))
    if 2 * bytes + mine + min(others, room // 2) > room:
        raise NoRoom


def _coming(uploads: QuerySet[Upload]) -> int:
    # Each is there twice while its parts are joined.
    return uploads.aggregate(n=Coalesce(Sum(2 * F("bytes") - F("offset")), 0))["n"]


def upload_url(upload: Upload) -> str:
    return reverse("upload", args=[upload.pk])


def receive(*, upload: Upload, at: int, read: Callable[[int], bytes]) -> int:
    """Take what `read` yields, part by part, from an offset on; the offset that was reached.

    Where reading fails, what was read before is taken, too.
    """
    if upload.status not in (UploadStatus.OPEN, UploadStatus.DONE):
        raise UploadGone(upload.reason or None)
    if at != upload.offset:
        raise _wrong_offset(upload)
    for part in _parts(read):
        at = _take(upload, at, part)
    return at


def _parts(read: Callable[[int], bytes]) -> Iterator[bytes]:
    part, broken = bytearray(), None
    while broken is None:
        try:
            piece = read(READ_BYTES)
        except OSError as error:
            broken, piece = error, b""
        part += piece
        if part and (not piece or len(part) >= PART_BYTES):
            yield bytes(part)
            part.clear()
        if not piece:
            break
    if broken is not None:
        raise broken


def _take(upload: Upload, at: int, part: bytes) -> int:
    stop = at + len(part)
    if stop > upload.bytes:
        raise TooLarge(f"The file was to have {upload.bytes} bytes.")
    try:
        name = storing.write(f"uploads/{upload.pk}/{at:015d}-{new_id()}", part)
    except OSError as error:
        raise (NoRoom if error.errno in (errno.ENOSPC, errno.EDQUOT) else error) from None
    try:
        with transaction.atomic():
            here = Upload.objects.filter(pk=upload.pk, status=UploadStatus.OPEN, offset=at, expires_at__gt=Now())
            if not here.update(offset=stop, expires_at=_later()):
                raise _refusal(upload, at)
            UploadPart.objects.create(upload=upload, start=at, bytes=len(part), file=name)
            if stop == upload.bytes:
                want("finish_upload", upload.pk, delay_s=FINISH_AFTER_S)
    except Problem:  # after any other error nobody knows whether the row is there; what is left over is tidied away
        storing.drop(name)
        raise
    return stop


def _later() -> ExpressionWrapper:
    return ExpressionWrapper(Now() + KEPT, output_field=DateTimeField())


def _refusal(upload: Upload, at: int) -> Problem:
    upload.refresh_from_db()
    if upload.status == UploadStatus.OPEN and upload.offset != at:
        return _wrong_offset(upload)
    return UploadGone(upload.reason or None)


def _wrong_offset(upload: Upload) -> WrongOffset:
    return WrongOffset(f"The upload stands at {upload.offset}.", headers={"Upload-Offset": str(upload.offset)})


def finish(*, upload_id: str) -> None:
    """Make the video of an upload whose bytes are all there. May die anywhere and run twice, also at once."""
    upload = Upload.objects.select_related("project", "created_by").get(pk=upload_id)
    if upload.status != UploadStatus.OPEN or upload.offset < upload.bytes:
        return
    with tempfile.TemporaryDirectory(prefix="upload-", dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        whole = Path(folder) / "whole"
        try:
            sha256 = _join(upload, whole)
        except FileNotFoundError:
            if Upload.objects.filter(pk=upload_id, status=UploadStatus.OPEN).exists():
                raise
            return  # another was first, and has cleared the parts away
        if upload.sha256 not in ("", sha256):
            _close(upload_id, UploadStatus.FAILED, OtherContent().detail)
            return
        stored = storing.keep(whole, "videos", sha256=sha256)
    with transaction.atomic():
        if Upload.objects.filter(pk=upload_id, status=UploadStatus.OPEN).update(status=UploadStatus.DONE):
            video = register(project=upload.project, file=stored, name=upload.name, by=upload.created_by)
            Upload.objects.filter(pk=upload_id).update(video=video)
    clear(upload_id)


def _join(upload: Upload, path: Path) -> str:
    """All parts as one file; its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as whole:
        for name in UploadPart.objects.filter(upload=upload).order_by("start").values_list("file", flat=True):
            part = storing.read(name)
            digest.update(part)
            whole.write(part)
        if whole.tell() != upload.bytes:
            raise FileNotFoundError(f"parts of the upload {upload.pk} are missing")
    return digest.hexdigest()


def fail(upload_id: str, reason: str) -> None:
    """Give up on joining the parts; the job's row keeps the machine's reason."""
    _close(upload_id, UploadStatus.FAILED, "The parts could not be joined. Send the file again.")


def end(*, upload: Upload) -> None:
    """Its sender gives it up. Conflict once it is a video."""
    if upload.status == UploadStatus.DONE:
        raise Conflict("The upload is a video by now.")
    if not _close(upload.pk, UploadStatus.ENDED, "It was ended."):
        raise UploadGone(upload.reason or None)


def _close(upload_id: str, status: UploadStatus, reason: str) -> int:
    closed = Upload.objects.filter(pk=upload_id, status=UploadStatus.OPEN).update(status=status, reason=reason)
    transaction.on_commit(lambda: clear(upload_id))
    return closed


def clear(upload_id: str) -> None:
    """Delete the parts of an upload that is not open any more: the files first, so that a crash loses none of them."""
    parts = UploadPart.objects.filter(upload=upload_id).exclude(upload__status=UploadStatus.OPEN)
    for pk, name in parts.values_list("pk", "file"):
        storing.drop(name)
        UploadPart.objects.filter(pk=pk).delete()
    with suppress(OSError):  # on a disk, a folder stays
        default_storage.delete(f"uploads/{upload_id}")


def forget() -> None:
    """What was not gone on with for a day expires; what a crash left behind is finished or cleared away."""
    late = Upload.objects.filter(status=UploadStatus.OPEN, offset__lt=F("bytes"), expires_at__lt=Now())
    late.update(status=UploadStatus.EXPIRED, reason="It was not gone on with for a day.")
    closed = Upload.objects.exclude(status=UploadStatus.OPEN)
    for upload_id in closed.filter(parts__isnull=False).values_list("pk", flat=True).distinct()[:AT_ONCE]:
        clear(upload_id)
    closed.filter(expires_at__lt=Now() - REMEMBERED, parts__isnull=True).delete()
    whole = Upload.objects.filter(status=UploadStatus.OPEN, offset=F("bytes"))
    for upload_id in whole.values_list("pk", flat=True)[:AT_ONCE]:
        with transaction.atomic():
            want("finish_upload", upload_id, delay_s=FINISH_AFTER_S)
