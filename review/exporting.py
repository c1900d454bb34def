"""A release written to a file in one format, with a manifest that says where everything in it came from."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from annotation import defining, storing
from annotation.core.ontology import Ontology
from annotation.formats import content as formats
from annotation.formats.registry import FORMATS
from annotation.models import Ontology as OntologyRow
from annotation.models import User, Video
from annotation.queue import want
from review.assembling import Whole
from review.lifecycle import WorkStatus
from review.models import Export, Release, Stitch
from review.tracing import provenance, undecided


def export(*, release: Release, format: str, video: Video | None, by: User | None) -> Export:
    """An export of a release; one that was made, or is being made, is found again. A failed one is tried anew."""
    try:
        with transaction.atomic():
            made = Export.objects.create(release=release, format=format, video=video, created_by=by)
    except IntegrityError:
        made = Export.objects.get(release=release, format=format, video=video)
    if made.status == WorkStatus.FAILED:
        Export.objects.filter(pk=made.pk, status=WorkStatus.FAILED).update(status=WorkStatus.BUILDING, reason="")
        made.refresh_from_db()
    if made.status == WorkStatus.BUILDING:
        want("write_export", made.pk)
    return made


def write_export(*, export_id: str) -> None:
    """Write the file, then the row that names it. Safe to die anywhere and to run twice: the bytes are the same."""
    row = Export.objects.select_related("release__project", "video").get(pk=export_id)
    if row.status != WorkStatus.BUILDING:
        return
    if row.release.status == WorkStatus.FAILED:
        fail_export(export_id=export_id, reason=f"The release could not be built: {row.release.reason}")
        return
    if row.release.status != WorkStatus.READY:
        want("build_release", row.release_id)
        want("write_export", export_id, delay_s=0.5)
        return
    scratch = settings.DATA_DIR / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=scratch) as folder:
        path = Path(folder) / "export"
        with path.open("wb") as out:
            FORMATS[row.format].write(out, content_of(row.release, row.video, format=row.format))
        stored = storing.keep(path, "exports")
    Export.objects.filter(pk=export_id, status=WorkStatus.BUILDING).update(
        status=WorkStatus.READY, file=stored.name, sha256=stored.sha256, bytes=stored.bytes
    )


def file_name(row: Export) -> str:
    """What an export's file is called where somebody takes it home; nothing in it leads out of a folder."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", row.release.project.name).lstrip(".") or "project"
    return f"{name}-{row.release.number}-{row.format}.{FORMATS[row.format].extension}"


def fail_export(*, export_id: str, reason: str) -> None:
    Export.objects.filter(pk=export_id, status=WorkStatus.BUILDING).update(status=WorkStatus.FAILED, reason=reason)


def content_of(release: Release, video: Video | None = None, *, format: str = "json") -> formats.Content:
    """What a release holds, of all its videos or of one, as the writers take it. The manifest says where each track
    came from, and what the format cannot carry."""
    assert release.content is not None  # it is ready
    chosen = {v: s for v, s in release.content["videos"].items() if video is None or v == video.pk}
    stitches = Stitch.objects.select_related("video").in_bulk(list(chosen.values()))
    wholes = [Whole(stitches[stitch_id]) for stitch_id in chosen.values()]
    wholes.sort(key=lambda w: (w.row.video.name, w.row.video_id))
    ontology = ontology_of(release, wholes)
    origins = [provenance(release.project_id, whole) for whole in wholes]
    videos = [_video(whole, ontology, origin) for whole, origin in zip(wholes, origins, strict=True)]
    manifest = manifest_of(release, wholes, origins) | {"not_carried": list(FORMATS[format].loses)}
    return formats.Content(ontology, videos, manifest)


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


def _video(whole: Whole, ontology: Ontology, origin: list[dict[str, Any]]) -> formats.VideoTracks:
    video = whole.row.video
    facts = formats.Video(video.name, video.frame_count or 0, video.width or 0, video.height or 0, video.fps or 25.0)
    said = {o["id"]: o | {"support": list(whole.objects[o["id"]].support)} for o in origin}
    return formats.VideoTracks(facts, lambda at: whole.rows(ontology.names, at), whole.intervals(), said)


def manifest_of(release: Release, wholes: list[Whole], origins: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """The manifest of the public contract; nothing in it depends on when the file was written."""
    return {
        "project": {"id": release.project_id, "name": release.project.name},
        "release": {"id": release.pk, "number": release.number, "sha256": release.sha256},
        "ontology_version": release.decided["ontology"],
        "videos": [_video_manifest(whole, origin) for whole, origin in zip(wholes, origins, strict=True)],
    }


def _video_manifest(whole: Whole, origin: list[dict[str, Any]]) -> dict[str, Any]:
    video = whole.row.video
    return {
        "id": video.pk,
        "name": video.name,
        "sha256": video.sha256,
        "frame_map_sha256": video.frame_map_sha256,
        "frame_count": video.frame_count,
        "stitch": whole.row.version,
        "undecided": undecided(whole.row),
        "tracks": origin,
    }
