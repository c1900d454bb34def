"""A release as the writers of formats take it: rows by the part, where everything came from, and media alongside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import IO, Any

from django.core.files.storage import default_storage

from annotation import defining
from annotation.core.ontology import Ontology
from annotation.formats import content as formats
from annotation.formats.parting import clip_path
from annotation.formats.registry import FORMATS, Format
from annotation.media.errors import FrameUndecodable
from annotation.media.frame_map import FrameMap
from annotation.models import Ontology as OntologyRow
from annotation.models import Project, Video
from annotation.settling import read_frame_map
from annotation.storing import local_path
from review.assembling import AT_ONCE, EVERYTHING, Whole
from review.core.selection import PICTURES, Selection
from review.models import Release, Stitch
from review.tracing import Provenance, undecided


@contextmanager
def content_of(
    release: Release, video: Video | None = None, *, format: str = "json", selection: Selection = EVERYTHING
) -> Iterator[formats.Content]:
    """What a release holds, of all its videos or of one, good within the block. The manifest says where each track
    came from, and what the format cannot carry."""
    assert release.content is not None  # it is ready
    chosen = {v: s for v, s in release.content["videos"].items() if video is None or v == video.pk}
    stitches = Stitch.objects.select_related("video").in_bulk(list(chosen.values()))
    wholes = [Whole(stitches[stitch_id], selection) for stitch_id in chosen.values()]
    wholes.sort(key=lambda w: (w.row.video.name, w.row.video_id))
    for whole in wholes[:1]:  # of the others too much would wait
        whole.keeps = AT_ONCE
    ontology = ontology_of(release, wholes)
    with ExitStack() as open_files:
        made = [_Part(release, whole, FORMATS[format], open_files) for whole in wholes]
        videos = [part.tracks(ontology) for part in made]
        folders = formats.folder_names(v.video for v in videos)
        said = (part.manifest(folder) for part, folder in zip(made, folders, strict=True))
        yield formats.Content(ontology, videos, manifest_of(release, format, selection) | {"videos": said})


def ontology_of(release: Release, wholes: list[Whole]) -> Ontology:
    """The release's ontology, with what its tracks still say of older versions: labels at the end, so that no number
    of a class moves, and attributes."""
    rows = OntologyRow.objects.filter(project_id=release.project_id, version__lte=release.decided["ontology"])
    newest, *older = [defining.read_ontology(row) for row in rows.order_by("-version")]
    said: dict[str, set[str]] = {}
    for found in (found for whole in wholes for found in whole.objects.values()):
        changing = (name for change in found.changes.values() for name in change)
        said.setdefault(found.label, set()).update(found.attributes, changing)
    for version in older:
        newest = newest.with_lost(version, said)
    return newest


def label_names(project: Project) -> set[str]:
    """The labels of every version of a project's ontology: work under an older one is released as well."""
    rows = OntologyRow.objects.filter(project=project)
    return {name for row in rows for name in defining.read_ontology(row).names}


def manifest_of(release: Release, format: str, selection: Selection) -> dict[str, Any]:
    """The manifest of the public contract but its videos; nothing in it depends on when the file was written."""
    return {
        "project": {"id": release.project_id, "name": release.project.name},
        "release": {"id": release.pk, "number": release.number, "sha256": release.sha256},
        "ontology_version": release.decided["ontology"],
        "selected": selection.to_json(),
        "not_carried": list(FORMATS[format].loses),
    }


class _Part:
    """One video of an export."""

    def __init__(self, release: Release, whole: Whole, format: Format, open_files: ExitStack) -> None:
        self.whole, self.video, self.selection = whole, whole.row.video, whole.selection
        self.origins = Provenance(release.project_id, whole)
        self.ending = PICTURES.get(self.selection.pictures or "", format.picture)
        self.pictures = _Pictures(self.video, self.ending, open_files) if self.selection.media == "frames" else None
        self.clips = _clips(whole) if self.selection.media == "clips" else ()

    def tracks(self, ontology: Ontology) -> formats.VideoTracks:
        video, step = self.video, self.selection.frame_step
        size = (video.frame_count or 0, video.width or 0, video.height or 0)
        return formats.VideoTracks(
            formats.Video(video.name, *size, video.fps or 25.0, step, self.ending),
            partial(self.whole.rows, ontology.drawn.names),
            self.whole.intervals(),
            self.origins.with_support(),
            self.pictures,
            self.clips,
        )

    def manifest(self, folder: str) -> dict[str, Any]:
        video = self.video
        said: dict[str, Any] = {
            "id": video.pk,
            "name": video.name,
            "sha256": video.sha256,
            "frame_map_sha256": video.frame_map_sha256,
            "frame_count": video.frame_count,
            "stitch": self.whole.row.version,
            "undecided": undecided(self.whole),
            "tracks": self.origins.values(),
        }
        if self.pictures is not None:
            said["frames_without_picture"] = sorted(self.pictures.missing)
        if self.clips:
            said["clips"] = [
                {"start": c.start, "stop": c.stop, "file": clip_path(folder, c.start, c.stop)} for c in self.clips
            ]
        return said


class _Pictures:
    """The frames of a video as picture files, one after the other, from a file that is opened once."""

    def __init__(self, video: Video, ending: str, open_files: ExitStack) -> None:
        self.video, self.open_files = video, open_files
        self.kind = next(kind for kind, its in PICTURES.items() if its == ending)
        self.frame_map: FrameMap = read_frame_map(video)
        self.missing: set[int] = set(self.frame_map.undecodable)
        self.path: Any = None

    def __call__(self, frame: int) -> bytes | None:
        from annotation import picturing  # late: what it stands on takes 30 MB, which exports without media do not need

        if self.path is None:
            self.path = self.open_files.enter_context(local_path(self.video.file))
        try:
            return picturing.pool().picture(self.path, self.frame_map, frame, format=self.kind)
        except FrameUndecodable:  # a limit that was reached says nothing of the frame: the job is tried again
            return None


def _clips(whole: Whole) -> tuple[formats.ClipFile, ...]:
    """The clips of the stitched segments, made where nobody was shown them (those of imported tracks)."""
    return tuple(
        formats.ClipFile(*whole.spans[track_set], partial(_clip, segment)) for segment, track_set in whole.row.inputs
    )


def _clip(segment_id: str) -> AbstractContextManager[IO[bytes]]:
    from annotation import clipping  # late, as above

    return default_storage.open(clipping.make_clip(segment_id).file, "rb")
