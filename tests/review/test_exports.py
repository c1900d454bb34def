"""Exports of a part of a release, with media alongside, and after crashes."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction

from annotation.core.ontology import parse_labels
from annotation.core.tracks import Tracks, fill
from annotation.formats.assembling import Target
from annotation.formats.drafts import Draft
from annotation.formats.registry import FORMATS
from review import assembling, exporting, releasing
from review.core.selection import Selection, parse_selection
from review.models import Consensus, Export, Release
from tests import cast
from tests.review import rows, stage
from tests.review.test_results import download, labelled

pytestmark = pytest.mark.django_db


def archive_of(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(data))


def lines_in(data: bytes) -> list[list[str]]:
    text = archive_of(data).read("street.mp4/gt/gt.txt").decode()
    return [line.split(",") for line in text.splitlines()]


def two_kinds(start: int, stop: int) -> Tracks:
    """A sure car and a doubtful person in every segment."""
    one, other = (rows.walker(start, stop, row, label=label) for row, label in ((0, "person"), (1, "car")))
    return Tracks(start, stop, (replace(one, confidence=0.5), replace(other, confidence=0.9)))


def released(draw: Callable[[int, int], Tracks] = two_kinds, segments: int = 3) -> Release:
    decided = rows.accepted(segments, draw)
    with transaction.atomic():
        release = releasing.release(project=decided[0].video.project, by=None)
    releasing.build_release(release_id=release.pk)
    release.refresh_from_db()
    assert release.status == "ready" and release.progress == 1
    return release


def made(release: Release, format: str = "mot", **selection: Any) -> zipfile.ZipFile:
    row = exporting.export(release=release, format=format, video=None, by=None, selection=Selection(**selection))
    exporting.write_export(export_id=row.pk)
    row.refresh_from_db()
    assert row.status == "ready" and row.progress == 1, row.reason
    with default_storage.open(row.file) as file:
        return zipfile.ZipFile(BytesIO(file.read()))


def boxes(archive: zipfile.ZipFile) -> np.ndarray:
    return np.loadtxt(BytesIO(archive.read("street.mp4/gt/gt.txt")), delimiter=",", ndmin=2)


def test_labels_and_confidence_choose_tracks() -> None:
    release = released()
    whole, cars, sure = made(release), made(release, labels=("car",)), made(release, min_confidence=0.8)
    assert {*boxes(whole)[:, 7]} == {1, 2} and {*boxes(cars)[:, 7]} == {2}  # no number of a class moves
    assert cars.read("street.mp4/gt/gt.txt") == sure.read("street.mp4/gt/gt.txt")
    manifest = json.loads(cars.read("manifest.json"))
    assert manifest["selected"] == {"labels": ["car"]}
    assert [t["label"] for t in manifest["videos"][0]["tracks"]] == ["car"]
    assert json.loads(whole.read("manifest.json"))["selected"] == {}


def test_tracks_that_nobody_doubts_pass_every_confidence() -> None:
    release = released(lambda a, b: rows.walkers(a, b, count=1))
    assert len(boxes(made(release, min_confidence=1.0, min_support=9))) == len(boxes(made(release)))


def test_frame_steps_leave_frames_out_of_every_format() -> None:
    release = released(lambda a, b: rows.walkers(a, b, count=1), segments=2)  # 54 frames
    target = Target(54, 1280, 720, parse_labels(cast.LABELS))
    for format in sorted(FORMATS):
        dense = fill(FORMATS[format].read(made_bytes(release, format, frame_step=10), target).tracks, 0, 54)
        at = np.flatnonzero(dense.present.any(axis=0)).tolist()
        assert {0, 10, 20, 30, 40, 50} <= {*at}
        if format not in ("cvat", "json"):  # whose readers fill in between
            assert at == [0, 10, 20, 30, 40, 50]


def test_support_is_counted_frame_by_frame() -> None:
    batch = stage.launched(frames=20, redundancy=3, max_redundancy=3, adaptive=False, agreement_floor=0.1)

    def leaves_early(start: int, stop: int) -> list[dict[str, Any]]:
        (track,) = stage.tracks(start, stop)
        (first, last), share = track["keyframes"], 7 / 19
        on_the_way = [a + (b - a) * share for a, b in zip(first["points"], last["points"], strict=True)]
        gone = [{"frame": 7, "points": on_the_way}, {"frame": 8, "outside": True}]
        return [track | {"keyframes": [first, *gone]}]

    stage.by_all(batch, Wanda=stage.tracks, Will=stage.tracks, Walt=leaves_early)
    Consensus.objects.get(batch=batch, status="accepted")
    _, two = download(batch, min_support=2)
    _, three = download(batch, min_support=3)
    assert [int(line[0]) for line in lines_in(two)] == list(range(1, 21))
    assert [int(line[0]) for line in lines_in(three)] == list(range(1, 9))


def test_a_selection_is_part_of_what_an_export_is() -> None:
    batch = labelled(frames=20)
    first, _ = download(batch, frame_step=5, media="none")
    again, _ = download(batch, frame_step=5)
    other, _ = download(batch, frame_step=4)
    whole, _ = download(batch)
    assert first["id"] == again["id"] and len({first["id"], other["id"], whole["id"]}) == 3
    assert (first["frame_step"], first["labels"], first["media"], first["progress"]) == (5, None, "none", 1)


def test_what_cannot_be_selected_is_said_with_its_place() -> None:
    batch = labelled(frames=20)
    wrong = {
        "labels": ["person", "unicorn"],
        "min_confidence": 1.5,
        "min_support": -1,
        "frame_step": 0,
        "media": "film",
        "pictures": "bmp",
    }
    answer = cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/exports/", {"format": "mot"} | wrong)
    pointers = {e["pointer"] for e in answer.json()["errors"]}
    assert answer.status_code == 400
    assert pointers == {"/labels/1", "/min_confidence", "/min_support", "/frame_step", "/media", "/pictures"}
    assert parse_selection({"labels": ["b", "a", "b"]}, {"a", "b"}) == Selection(labels=("a", "b"))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("format", ["coco", "json", "yolo"])
def test_killed_at_every_part_an_export_resumes_to_the_same_sha256(format: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("review.assembling.PART_CELLS", 1)  # a part for every segment
    monkeypatch.setattr("review.assembling.LEAST_FRAMES", 25)
    monkeypatch.setattr("os.fsync", lambda file: None)
    release = released(segments=6)
    expected = hashlib.sha256(made_bytes(release, format)).hexdigest()
    Export.objects.update(status="building", file="", sha256="", bytes=None)
    row, runs, known = Export.objects.get(), 0, Draft.note
    monkeypatch.setattr(Draft, "due", property(lambda self: True))

    def note_and_die(self: Draft, *args: Any) -> None:
        known(self, *args)
        raise Killed

    while row.status == "building":
        runs += 1
        monkeypatch.setattr(Draft, "note", note_and_die)
        try:
            exporting.write_export(export_id=row.pk)
        except Killed:
            assert (settings.DATA_DIR / "scratch" / f"export-{row.pk}" / "journal.json").exists()
        row.refresh_from_db()
    assert row.sha256 == expected and runs > 6
    assert not (settings.DATA_DIR / "scratch" / f"export-{row.pk}").exists()


def made_bytes(release: Release, format: str, **selection: Any) -> bytes:
    archive = made(release, format, **selection)
    assert archive.fp is not None
    archive.fp.seek(0)
    return archive.fp.read()


def test_a_draft_has_one_writer_at_a_time_and_is_forgotten_with_its_export() -> None:
    release = released(segments=1)
    row = exporting.export(release=release, format="mot", video=None, by=None)
    folder = settings.DATA_DIR / "scratch" / f"export-{row.pk}"
    with exporting._draft_of(row.pk) as mine:
        assert mine == folder
        exporting.write_export(export_id=row.pk)  # leaves it to whoever is at it
        exporting.forget_drafts()
    row.refresh_from_db()
    assert row.status == "building" and folder.exists()
    exporting.fail_export(export_id=row.pk, reason="test")
    exporting.forget_drafts()
    assert not folder.exists() and not folder.with_suffix(".lock").exists()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_file_is_written(monkeypatch: Any) -> None:
    monkeypatch.setattr("review.exporting.TOLD_EVERY_S", 0)
    seen: list[float] = []
    release = released(segments=2)
    row = exporting.export(release=release, format="mot", video=None, by=None)

    def told(self: Any, phase: str, at: Any, share: float, *files: Any) -> None:
        assert not connection.in_atomic_block
        self.told(phase, share)
        seen.append(Export.objects.get(pk=row.pk).progress)

    monkeypatch.setattr("annotation.formats.zipping.ZipWriter.note", told)
    exporting.write_export(export_id=row.pk)
    assert seen and seen[-1] == 0.99


def test_segments_are_read_once_where_there_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    release = released()
    read: list[str] = []
    load = assembling.load_segments
    monkeypatch.setattr(assembling, "PART_CELLS", 100)  # so that what is kept has to outlast the parts before it
    monkeypatch.setattr(assembling, "load_segments", lambda some: read.extend(key for key, _ in some) or load(some))
    made(release)
    assert len(read) == len(set(read)) == 3


def test_only_what_is_accepted_appears_and_each_segment_once() -> None:
    """Of five segments one is pending, one rejected, one amended; gold beyond them is nobody's work."""
    batch = stage.launched(frames=81, max_redundancy=2)
    video = batch.batch_videos.get().video
    gold = {
        "video": video.pk,
        "start": 0,
        "stop": 20,
        "tracks": [{"id": "gold", "label": "car", "keyframes": [{"frame": 0, "points": [60, 30, 90, 60]}]}],
    }
    assert cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", gold).status_code == 201

    def other(start: int, stop: int) -> list[dict[str, Any]]:
        return stage.tracks(start, stop, shift=25.0 if start // 15 in (1, 2, 3) else 0.0)

    stage.by_all(batch, Wanda=stage.tracks, Will=other)
    found = list(Consensus.objects.filter(batch=batch).select_related("segment").order_by("segment__start"))
    waiting = [c for c in found if c.status == "pending"]
    assert len(waiting) == 3, [(c.segment.start, c.status) for c in found]
    assert stage.decide("Rita", waiting[0], "reject", {"reason": "no"}).status_code == 200
    amended = [
        {"id": "x", "label": "person", "keyframes": [{"frame": waiting[2].segment.start, "points": [1, 1, 31, 41]}]}
    ]
    assert stage.decide("Rita", waiting[2], "amend", {"tracks": amended}).status_code == 200
    _, data = download(batch)
    (said,) = json.loads(archive_of(data).read("manifest.json"))["videos"]
    accepted = [c.segment for c in found if c not in waiting[:2]]
    covered = {f for s in accepted for f in range(s.start, s.stop)}
    table = lines_in(data)
    assert {int(line[0]) - 1 for line in table} <= covered
    assert {line[7] for line in table} == {"1"}  # no car of gold's
    assert len({(line[0], line[1]) for line in table}) == len(table)
    sources = [s["id"] for track in said["tracks"] for s in track["segments"]]
    assert sorted(sources) == sorted(s.pk for s in accepted)
    undecided = {f for a, b in said["undecided"] for f in range(a, b)}
    assert undecided == set(range(81)) - covered
