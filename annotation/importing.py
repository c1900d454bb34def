"""Files that clients bring with tracks in them: any format of the registry, read as tracks of one video."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile

from annotation import defining
from annotation.answering import text
from annotation.core.clipping import clip_to
from annotation.core.problems import Invalid, Problem, encodable
from annotation.core.tracks import Tracks
from annotation.formats.assembling import Target
from annotation.formats.choosing import Wanted
from annotation.formats.reading import read_file
from annotation.formats.registry import READERS
from annotation.models import Project, Video

# A million boxes are some 60 MB of text.
LARGEST = 256 * 2**20
READABLE = sorted(READERS)
NO_GOLD = "says nothing of this video; to say that nothing is there, post gold without tracks instead of a file"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was read: its tracks on all frames of the video, and what it was."""

    video: Video
    format: str
    name: str
    sha256: str
    tracks: Tracks

    def gold(self, start: int, stop: int) -> Tracks:
        """What it says of some frames. Invalid where it says nothing of the video at all: all who draw would fail."""
        if not (self.tracks.tracks or self.tracks.intervals):
            raise Invalid([Problem("/file", NO_GOLD)])
        return clip_to(self.tracks, start, stop)


def read_upload(*, project: Project, video: Video, data: Any) -> Upload:
    """The `file` of a form in its `format`, checked against the project's labels and the video.

    Takes long for large files: call it outside of transactions. Invalid names the lines that are wrong.
    """
    format, file = text(data, "format"), data.get("file")
    if format not in READABLE:
        raise Invalid([Problem("/format", f"must be one of {', '.join(READABLE)}")])
    if not isinstance(file, UploadedFile):
        raise Invalid([Problem("/file", "is required, as a file of the form")])
    if (file.size or 0) > LARGEST:
        raise Invalid([Problem("/file", f"has {file.size} bytes; at most {LARGEST} are read")])
    with tempfile.TemporaryFile() as copy:
        sha256 = hashlib.sha256()
        for block in file.chunks():
            sha256.update(block)
            copy.write(block)
        tracks = _read(project, video, format, copy)
    name = encodable((file.name or "").replace("\0", ""))[:255]
    return Upload(video, format, name, sha256.hexdigest(), tracks)


def _read(project: Project, video: Video, format: str, file: IO[bytes]) -> Tracks:
    ontology = defining.read_ontology(defining.current_ontology(project))
    target = Target(video.frame_count or 0, video.width or 0, video.height or 0, ontology)
    return _unvoted(read_file(format, file, Wanted(video.name, video.pk, video.sha256 or ""), target))


def _unvoted(tracks: Tracks) -> Tracks:
    """Without the submissions that a file names: nobody voted here, and those of other projects are not told of."""
    return replace(tracks, tracks=tuple(replace(t, support=()) if t.support else t for t in tracks.tracks))
