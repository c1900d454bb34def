from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from annotation import recording
from annotation.core.tracks import Tracks, to_json
from annotation.formats.registry import FORMATS
from annotation.models import TrackSet
from crowd.models import Batch
from review import assembling
from review.assembling import Whole
from review.exporting import write_export
from review.models import Export, Join, Release, Stitch
from review.stitching import load_segments, segments_near, stitch_video
from tests import cast
from tests.review import rows, stage

pytestmark = pytest.mark.django_db


def labelled(frames: int = 60, **policy: Any) -> Batch:
    """A batch that two workers did alike, all of it accepted."""
    batch = stage.launched(frames=frames, **policy)

    def moving(start: int, stop: int) -> list[dict[str, Any]]:
        # The same object over all segments: it moves by half a pixel a frame.
        ends = [(f, [5 + f / 2, 5.0, 35 + f / 2, 45.0]) for f in (start, stop - 1)]
        return [{"id": "a", "label": "person", "keyframes": [{"frame": f, "points": p} for f, p in ends]}]

    stage.by_all(batch, Wanda=moving, Will=moving)
    return batch


def download(batch: Batch, format: str = "mot", **more: Any) -> tuple[dict[str, Any], bytes]:
    alice = cast.client("Alice")
    answer = alice.post(f"{stage.API}/projects/{batch.project_id}/exports/", {"format": format} | more)
    assert answer.status_code == 202, answer.content
    cast.work_off()
    export = alice.get(f"{stage.API}/exports/{answer.json()['id']}/").json()
    assert export["status"] == "ready", export
    return export, b"".join(alice.get(export["url"]).streaming_content)


def test_one_object_over_all_segments_is_one_track() -> None:
    batch = labelled()
    video = batch.batch_videos.get().video_id
    (track,) = cast.client("Alice").get(f"{stage.API}/videos/{video}/tracks/").json()["results"]
    frames = [k["frame"] for k in track["keyframes"]]
    assert frames[0] == 0 and frames[-1] == 59
    assert track["keyframes"][30]["points"] == pytest.approx([20.0, 5.0, 50.0, 45.0], abs=0.5)


def test_tracks_are_read_in_ranges() -> None:
    batch = labelled()
    video = batch.batch_videos.get().video_id
    alice = cast.client("Alice")
    (track,) = alice.get(f"{stage.API}/videos/{video}/tracks/?start=10&stop=20").json()["results"]
    assert [k["frame"] for k in track["keyframes"]] == list(range(10, 20))
    assert alice.get(f"{stage.API}/videos/{video}/tracks/?label=car").json()["results"] == []
    assert alice.get(f"{stage.API}/videos/{video}/tracks/?start=x").status_code == 400


def test_pages_of_tracks_are_as_all_at_once_and_read_the_whole_video_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def brief(start: int, stop: int) -> Tracks:
        # Objects of one segment each: those of its neighbours are elsewhere.
        return rows.walkers(start, stop, shift=200.0 * (start // 24), count=2)

    video = rows.accepted(6, brief)[0].video
    address, alice = f"{stage.API}/videos/{video.pk}/tracks/", cast.client("Alice")
    expected = [to_json(Whole(stitch_video(video_id=video.pk)).tracks([n], 0, video.frame_count)) for n in range(1, 13)]
    read = []
    monkeypatch.setattr(assembling, "load_segments", lambda pairs: read.extend(pairs) or load_segments(pairs))
    monkeypatch.setattr(assembling, "segments_near", lambda *a: read.append(a) or segments_near(*a))
    found, following = [], f"{address}?page_size=1"
    while following:
        page = alice.get(following).json()
        found, following = found + page["results"], page["next"]
    assert found == [track for one in expected for track in one["tracks"]]
    assert len(found) == 12 and len(read) == 6 + 12
    assert max(stop - start for _, start, stop in read[6:]) == 31


def test_tracks_are_paged_by_a_cursor_as_every_list_is() -> None:
    video = rows.accepted(1, lambda start, stop: rows.walkers(start, stop, count=2))[0].video
    address, alice = f"{stage.API}/videos/{video.pk}/tracks/?page_size=1", cast.client("Alice")
    following = QueryDict(alice.get(address).json()["next"].partition("?")[2])
    assert set(following) == {"page_size", "cursor"}
    second = alice.get(f"{address}&{urlencode({'cursor': following['cursor']})}").json()
    assert second["results"] == alice.get(address.partition("?")[0]).json()["results"][1:]
    assert [alice.get(f"{address}&cursor={none}").status_code for none in ("x", "-1", "%00")] == [404] * 3


def test_the_same_content_is_the_same_release() -> None:
    batch = labelled()
    alice = cast.client("Alice")
    address = f"{stage.API}/projects/{batch.project_id}/releases/"
    first, second = alice.post(address).json(), alice.post(address).json()
    cast.work_off()
    assert first["id"] == second["id"] and first["number"] == 1
    ready = alice.get(f"{stage.API}/releases/{first['id']}/").json()
    assert (ready["status"], ready["tracks"], ready["videos"]) == ("ready", 1, 1)
    assert len(ready["sha256"]) == 64


def test_nothing_accepted_is_nothing_to_release() -> None:
    consensus = stage.disputed()
    answer = cast.client("Alice").post(f"{stage.API}/projects/{consensus.batch.project_id}/releases/")
    assert answer.status_code == 409


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_every_format_is_written_with_its_hash_and_the_same_bytes_again(format: str) -> None:
    batch = labelled(frames=20)
    export, data = download(batch, format)
    assert hashlib.sha256(data).hexdigest() == export["sha256"] and len(data) == export["bytes"]
    Export.objects.update(status="building", file="", sha256="", bytes=None)
    write_export(export_id=export["id"])
    assert Export.objects.get().sha256 == export["sha256"]


def test_a_mot_export_is_laid_out_as_the_contract_says() -> None:
    _, data = download(labelled())
    archive = zipfile.ZipFile(BytesIO(data))
    lines = archive.read("street.mp4/gt/gt.txt").decode().splitlines()
    assert len(lines) == 60
    first = lines[0].split(",")
    assert first[:2] == ["1", "1"] and [float(x) for x in first[2:6]] == pytest.approx([5, 5, 30, 40], abs=0.5)
    assert first[6:] == ["1", "1", "1"]


def test_the_manifest_says_where_each_track_came_from() -> None:
    _, data = download(labelled())
    manifest = json.loads(zipfile.ZipFile(BytesIO(data)).read("manifest.json"))
    (video,) = manifest["videos"]
    (track,) = video["tracks"]
    assert video["undecided"] == [] and len(video["frame_map_sha256"]) == 64
    assert len(track["segments"]) == 4 and {s["decision"]["by"] for s in track["segments"]} == {"rule"}
    assert len(track["submissions"]) == 8 and {s["worker"][:2] for s in track["submissions"]} == {"w-"}
    assert len(track["joins"]) == 3


def test_what_is_undecided_is_not_exported_but_listed() -> None:
    batch = stage.launched(frames=60, max_redundancy=2)

    def quarrel(start: int, stop: int) -> list[dict[str, Any]]:
        return stage.tracks(start, stop, shift=25.0 if start else 0.0)

    stage.by_all(batch, Wanda=stage.tracks, Will=quarrel)
    _, data = download(batch)
    archive = zipfile.ZipFile(BytesIO(data))
    (video,) = json.loads(archive.read("manifest.json"))["videos"]
    end = max(int(line.split(",")[0]) for line in archive.read("street.mp4/gt/gt.txt").decode().splitlines())
    assert video["undecided"] == [[end, 60]]


def test_downloads_come_in_ranges_and_are_known_again() -> None:
    batch = labelled(frames=20)
    export, data = download(batch)
    alice = cast.client("Alice")
    part = alice.get(export["url"], headers={"Range": "bytes=10-19"})
    assert part.status_code == 206 and b"".join(part.streaming_content) == data[10:20]
    assert alice.get(export["url"], headers={"If-None-Match": f'"{export["sha256"]}"'}).status_code == 304
    assert cast.client("Eve").get(export["url"]).status_code == 404


def test_an_unknown_format_is_refused() -> None:
    batch = labelled(frames=20)
    answer = cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/exports/", {"format": "docx"})
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/format"


def test_stitching_the_same_content_again_makes_nothing_new() -> None:
    batch = labelled()
    video = batch.batch_videos.get().video_id
    first = stitch_video(video_id=video)
    assert stitch_video(video_id=video) == first
    assert Stitch.objects.filter(video=video).latest("version") == first


def test_a_verdict_on_a_join_binds_the_next_stitch() -> None:
    batch = labelled(frames=38)
    video = batch.batch_videos.get().video
    before = stitch_video(video_id=video.pk)
    assert before is not None and before.track_count == 1
    (left, _), (right, _) = before.inputs
    ids = [recording.load(TrackSet.objects.get(pk=t)).tracks[0].id for _, t in before.inputs]
    names = {"left_track": ids[0], "right_track": ids[1]}
    join = Join.objects.create(
        video=video, left_segment_id=left, right_segment_id=right, kind="border", confidence=0.5, **names
    )
    rita = cast.client("Rita")
    (listed,) = rita.get(f"{stage.API}/projects/{batch.project_id}/joins/?status=doubtful").json()["results"]
    assert listed["left"]["frame"] == listed["left"]["segment"]["stop"] - 1
    assert listed["right"]["frame"] == listed["right"]["segment"]["start"]
    assert cast.client("Alice").post(f"{stage.API}/joins/{join.pk}/different/").status_code == 403
    assert rita.post(f"{stage.API}/joins/{join.pk}/different/").json()["status"] == "different"
    assert rita.post(f"{stage.API}/joins/{join.pk}/same/").status_code == 409
    cast.work_off()
    after = stitch_video(video_id=video.pk)
    assert after is not None and after.track_count == 2


def test_progress_counts_from_rows() -> None:
    batch = labelled(reward_micros=100)
    body = cast.client("Mona").get(f"{stage.API}/projects/{batch.project_id}/progress/").json()
    assert body["segments"] == {"total": 4, "clipped": 4, "accepted": 4}
    assert body["frames"] == {"total": 60, "accepted": 60}
    assert body["submissions"] == 8 and body["redundancy"] == {"mean": 2.0, "saved": 12, "why": {}, "withheld": {}}
    assert body["cost_micros"] == {"spent": 800, "expected": 800}
    assert cast.client("Wanda").get(f"{stage.API}/projects/{batch.project_id}/progress/").status_code == 404


def test_progress_has_a_number_that_grows() -> None:
    batch = stage.launched(frames=20)
    address = f"{stage.API}/projects/{batch.project_id}/progress/"
    before = cast.client("Mona").get(address).json()["seq"]
    stage.by_all(batch, Wanda=stage.tracks)
    middle = cast.client("Mona").get(address).json()["seq"]
    stage.by_all(batch, Will=stage.tracks)
    assert before < middle < cast.client("Mona").get(address).json()["seq"]


def test_a_release_pins_what_was_decided_before_the_call() -> None:
    batch = stage.launched(frames=38, max_redundancy=2)
    stage.by_all(batch, Wanda=stage.tracks, Will=lambda a, b: stage.tracks(a, b, shift=0.0 if a == 0 else 25.0))
    alice = cast.client("Alice")
    release = alice.post(f"{stage.API}/projects/{batch.project_id}/releases/").json()
    pending = batch.consensus.get(status="pending")
    assert stage.decide("Rita", pending, "accept").status_code == 200
    cast.work_off()
    (inputs,) = Release.objects.get(pk=release["id"]).decided["videos"].values()
    assert len(inputs) == 1
    assert alice.post(f"{stage.API}/projects/{batch.project_id}/releases/").json()["number"] == 2
