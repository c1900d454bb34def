from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.formats.registry import FORMATS
from annotation.models import Job, Project, TrackSet, Video
from crowd.models import Assignment, Batch, BatchVideo, Gold, PreLabels
from review.models import Consensus, Import, Stitch
from tests import cast
from tests.review import stage
from tests.review.test_results import download, labelled

pytestmark = pytest.mark.django_db

#: Track 7 walks through, is away for a while and comes back; track 9 stands.
LINES = [f"{f + 1},7,{5 + f},5,20,40,1,1,1" for f in [*range(25), *range(40, 60)]]
LINES += [f"{f + 1},9,60,10,20,30,1,2,0" for f in range(60)]
MOT = "\n".join(LINES).encode()


def send(project: Project, of: Video, body: bytes = MOT, *, to: str = "imports", by: str = "Alice", **form: Any) -> Any:
    headers = form.pop("headers", {})
    fields = {"video": of.pk, "format": "mot", "file": SimpleUploadedFile("gt.txt", body)} | form
    return cast.client(by).post(f"{stage.API}/projects/{project.pk}/{to}/", fields, format="multipart", headers=headers)


@pytest.fixture
def bare() -> tuple[Project, Video]:
    """A video that nobody launched, under a policy of short segments."""
    project = cast.project()
    answer = cast.client("Alice").patch(
        f"{stage.API}/projects/{project.pk}/", {"policy": {"segment_frames": 20, "overlap_frames": 2}}
    )
    assert answer.status_code == 200
    return project, cast.video(project, 60)


def test_a_file_becomes_gold_of_the_range_that_is_named(bare: tuple[Project, Video]) -> None:
    answer = send(*bare, to="gold", start="10", stop="50")
    assert answer.status_code == 201, answer.content
    assert (answer.json()["start"], answer.json()["stop"], answer.json()["tracks"]) == (10, 50, 2)
    assert (Gold.objects.get().track_set.start, Gold.objects.get().track_set.stop) == (10, 50)


def test_a_file_that_says_nothing_is_no_gold(bare: tuple[Project, Video]) -> None:
    project, video = bare
    for answer in (send(project, video, b"", **{"as": "gold"}), send(project, video, b"", to="gold")):
        assert answer.status_code == 400 and [e["pointer"] for e in answer.json()["errors"]] == ["/file"]
    assert not Gold.objects.exists() and not Import.objects.exists()
    for kind in ("tracks", "pre-labels"):
        assert send(project, video, b"", **{"as": kind}).status_code == 201


def test_a_file_becomes_pre_labels(bare: tuple[Project, Video]) -> None:
    answer = send(*bare, to="pre-labels")
    assert answer.status_code == 201, answer.content
    assert PreLabels.objects.get().track_set.track_count == 2


@pytest.mark.parametrize(("kind", "made"), [("gold", "gold"), ("pre-labels", "pre_labels"), ("tracks", "batch")])
def test_an_import_says_what_was_made_and_is_listed(bare: tuple[Project, Video], kind: str, made: str) -> None:
    answer = send(*bare, **{"as": kind})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["as"], body["tracks"], body["name"]) == (kind, 2, "gt.txt") and len(body["sha256"]) == 64
    assert [name for name in ("gold", "pre_labels", "batch") if body[name]] == [made]
    alice = cast.client("Alice")
    assert alice.get(f"{stage.API}/imports/{body['id']}/").json() == body
    assert alice.get(f"{stage.API}/projects/{bare[0].pk}/imports/").json()["results"] == [body]
    assert cast.client("Eve").get(f"{stage.API}/imports/{body['id']}/").status_code == 404


def test_finished_tracks_are_released_and_exported_with_their_ids(bare: tuple[Project, Video]) -> None:
    assert send(*bare, **{"as": "tracks"}).status_code == 201
    batch = Batch.objects.get()
    assert batch.status == "done" and not Assignment.objects.exists()
    export, data = download(batch)
    archive = zipfile.ZipFile(io.BytesIO(data))
    written = [line.split(",") for line in archive.read("street.mp4/gt/gt.txt").decode().splitlines()]
    given = sorted(([*line.split(",")] for line in LINES), key=lambda c: (int(c[0]), int(c[1])))
    assert [[float(x) for x in row] for row in written] == [[float(x) for x in row] for row in given]
    (video,) = json.loads(archive.read("manifest.json"))["videos"]
    assert {s["decision"]["by"] for t in video["tracks"] for s in t["segments"]} == {"reviewer"}
    assert [t["id"] for t in video["tracks"]] == [7, 9] and video["undecided"] == []
    assert set(TrackSet.objects.values_list("source", flat=True)) == {"import"}


def test_imported_segments_are_read_as_consensus_and_counted_as_accepted(bare: tuple[Project, Video]) -> None:
    send(*bare, **{"as": "tracks"})
    rita = cast.client("Rita")
    listed = rita.get(f"{stage.API}/projects/{bare[0].pk}/consensus/?status=accepted").json()["results"]
    body = rita.get(f"{stage.API}/consensus/{listed[0]['id']}/").json()
    assert body["decided_by"].startswith("r-") and body["clip"] is None and body["submissions"] == []
    mine = cast.client("Alice").get(f"{stage.API}/consensus/{listed[0]['id']}/").json()
    assert mine["decided_by"] == "Alice"  # a reviewer reads who people are no more than a client does
    progress = rita.get(f"{stage.API}/projects/{bare[0].pk}/progress/").json()
    assert progress["frames"] == {"total": 60, "accepted": 60}
    assert progress["redundancy"] == {"mean": None, "saved": 0, "why": {}, "withheld": {}}
    assert progress["agreement"]["mean"] is None


def test_a_video_in_a_live_batch_takes_no_finished_tracks() -> None:
    batch = stage.launched(frames=60)
    video = batch.batch_videos.get().video
    assert send(batch.project, video, **{"as": "tracks"}).status_code == 409
    BatchVideo.objects.update(live=False)
    assert send(batch.project, video, **{"as": "tracks"}).status_code == 201


def test_numbers_that_a_video_gave_out_before_are_not_given_to_other_objects() -> None:
    batch = labelled()
    assert download(batch)[0]["status"] == "ready"
    before = Stitch.objects.get()
    BatchVideo.objects.update(live=False)
    answer = send(batch.project, before.video, MOT.replace(b",7,", b",1,"), **{"as": "tracks"})
    assert answer.status_code == 201, answer.content
    tracks = cast.client("Alice").get(f"{stage.API}/videos/{before.video_id}/tracks/").json()["results"]
    assert [t["id"] for t in tracks] == ["2", "3"]


def test_a_video_whose_end_is_not_settled_is_looked_at_first() -> None:
    project = cast.project()
    video = cast.video(project, 60, settled=30)
    assert send(project, video, **{"as": "tracks"}).status_code == 409
    assert Job.objects.filter(kind="verify_video", subject=video.pk).exists()
    assert not Batch.objects.exists()


def test_what_is_wrong_in_a_file_is_told_by_its_lines(bare: tuple[Project, Video]) -> None:
    wrong = b"1,7,5,5,20,40,1,1,1\n2,7,x,5,20,40,1,1,1\n3,7,5,5,20\n"
    answer = send(*bare, wrong, **{"as": "gold"})
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert {e["pointer"] for e in errors} == {"/file"}
    assert [e["message"].split(":")[0] for e in errors] == ["line 2", "line 3"]
    late = send(*bare, b"61,7,5,5,20,40,1,1,1\n1,8,5,5,20,40,1,9,1\n", **{"as": "tracks"})
    assert late.status_code == 400 and "line 2" in late.content.decode()
    assert not Import.objects.exists() and not Batch.objects.exists()


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"as": "truth"}, "/as"),
        ({}, "/as"),
        ({"as": "gold", "format": "psd"}, "/format"),
        ({"as": "gold", "video": "nobody"}, "/video"),
        ({"as": "gold", "file": "no file"}, "/file"),
        ({"as": "gold", "start": "50", "stop": "10"}, "/start"),
    ],
)
def test_a_form_that_says_nonsense_is_refused(bare: tuple[Project, Video], form: dict[str, str], pointer: str) -> None:
    answer = send(*bare, **form)
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_rubbish_is_refused_in_every_format(bare: tuple[Project, Video], format: str) -> None:
    for body in (b"", b"\x00\xff" * 50, b"PK\x03\x04" + bytes(60), b"{" * 3000, b"<a>" * 3000):
        answer = send(*bare, body, format=format, **{"as": "gold"})
        assert answer.status_code in (201, 400), (body[:10], answer.content)
        if answer.status_code == 201:
            assert answer.json()["tracks"] == 0


def test_a_file_that_is_too_large_is_not_read(bare: tuple[Project, Video], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.importing.LARGEST", 100)
    answer = send(*bare, **{"as": "gold"})
    assert answer.status_code == 400 and "at most 100" in answer.json()["errors"][0]["message"]


def test_only_who_runs_a_project_imports(bare: tuple[Project, Video]) -> None:
    for name, status in (("Rita", 403), ("Wanda", 404), ("Eve", 404), ("Mona", 201)):
        assert send(*bare, by=name, **{"as": "pre-labels"}).status_code == status, name


def test_the_same_file_under_one_key_is_imported_once(bare: tuple[Project, Video]) -> None:
    first, second = (send(*bare, headers={"Idempotency-Key": "k"}, **{"as": "gold"}) for _ in range(2))
    assert first.json() == second.json() and Gold.objects.count() == 1
    assert send(*bare, MOT + b"\n", headers={"Idempotency-Key": "k"}, **{"as": "gold"}).status_code == 422


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_what_was_exported_is_imported_again(format: str) -> None:
    batch = labelled(frames=60)
    _, data = download(batch, format)
    again = cast.project(name="Again")
    video = cast.video(again, 60)
    answer = send(again, video, data, format=format, **{"as": "tracks"})
    assert answer.status_code == 201, answer.content
    tracks = cast.client("Alice").get(f"{stage.API}/videos/{video.pk}/tracks/").json()["results"]
    assert sum(not k["outside"] for t in tracks for k in t["keyframes"]) == 60
    # Ultralytics' layout has no place for a track's id.
    assert len(tracks) == (60 if format == "yolo" else 1)
    assert Consensus.objects.filter(video=video, status="accepted").count() == 1


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_two_videos_of_one_name_take_each_its_own_tracks_from_an_export(format: str) -> None:
    first, again = cast.project(name="First"), cast.project(name="Again")
    lines = {60: MOT[: MOT.index(b"\n10,")], 50: b"1,7,5,5,20,40,1,1,1\n"}
    for frames, body in lines.items():
        assert send(first, cast.video(first, frames), body, **{"as": "tracks"}).status_code == 201
    _, data = download(Batch.objects.filter(project=first)[0], format)
    for frames, body in lines.items():
        video = cast.video(again, frames)
        answer = send(again, video, data, format=format, **{"as": "tracks"})
        assert answer.status_code == 201, answer.content
        tracks = cast.client("Alice").get(f"{stage.API}/videos/{video.pk}/tracks/").json()["results"]
        assert sum(not k["outside"] for t in tracks for k in t["keyframes"]) == len(body.splitlines())


def of(label: str, start: int, stop: int, track: str | None = None) -> dict[str, Any]:
    return {"label": label, "start": start, "stop": stop, "track": track, "attributes": {}}


def intervals_again(project: Project, video: Video, *intervals: dict[str, Any]) -> list[dict[str, Any]]:
    """What an export says of intervals that were imported with tracks, one of which is away for whole segments."""
    corners = [5, 5, 25, 45]
    away = [{"frame": 3, "points": corners}, {"frame": 10, "outside": True}, {"frame": 52, "points": corners}]
    late = [{"frame": 50, "points": corners}]
    tracks = [{"id": "7", "label": "person", "keyframes": away}, {"id": "9", "label": "car", "keyframes": late}]
    body = json.dumps({"tracks": tracks, "intervals": intervals}).encode()
    answer = send(project, video, body, format="json", **{"as": "tracks"})
    assert answer.status_code == 201, answer.content
    archive = zipfile.ZipFile(io.BytesIO(download(Batch.objects.get(), "json")[1]))
    said = json.loads(archive.read("street.mp4/tracks.json"))
    assert [len(t["keyframes"]) for t in said["tracks"]] == [5, 2]
    return list(said["intervals"])


def test_intervals_of_a_track_that_is_away_for_whole_segments_come_out_as_they_came_in(
    bare: tuple[Project, Video],
) -> None:
    given = [of("person", 5, 60, "7"), of("car", 25, 30, "7"), of("car", 0, 4, "9"), of("car", 3, 50)]
    found = intervals_again(*bare, *given)
    assert found == sorted(given, key=lambda i: (i["start"], i["stop"], i["label"]))
    api, alice = stage.API, cast.client("Alice")
    listed = alice.get(f"{api}/videos/{bare[1].pk}/tracks/").json()["results"]
    shown = [[k["frame"] for k in t["keyframes"] if not k["outside"]] for t in listed]
    assert shown == [[*range(3, 10), *range(52, 60)], [*range(50, 60)]]


def test_intervals_of_one_kind_that_follow_on_each_other_stay_two(bare: tuple[Project, Video]) -> None:
    """Only the pieces that the borders of segments, here at 18 to 20 and so on, cut them into are put together."""
    ranges = [(0, 5), (5, 10), (10, 19), (19, 31), (31, 40), (33, 37)]
    given = [of("car", start, stop) for start, stop in ranges]
    assert intervals_again(*bare, *given) == given


@pytest.mark.parametrize("ranges", [[(5, 16), (10, 25)], [(5, 25), (10, 16)], [(5, 16), (10, 25), (12, 40)]])
def test_intervals_of_one_kind_that_go_on_at_once_are_each_put_together(
    bare: tuple[Project, Video], ranges: list[tuple[int, int]]
) -> None:
    given = [of("car", start, stop) for start, stop in ranges]
    assert intervals_again(*bare, *given) == given


def test_submissions_that_a_file_names_are_none_of_the_project_s() -> None:
    """One worker's pseudonyms in two projects cannot be put together by importing both exports into a third."""
    _, data = download(labelled(frames=60), "json")
    again = cast.project(name="Again")
    assert send(again, cast.video(again, 60), data, format="json", **{"as": "tracks"}).status_code == 201
    _, anew = download(Batch.objects.get(project=again), "json", min_support=1)
    archive = zipfile.ZipFile(io.BytesIO(anew))
    (video,) = json.loads(archive.read("manifest.json"))["videos"]
    assert [track["submissions"] for track in video["tracks"]] == [[]]
    (name,) = (n for n in archive.namelist() if n.endswith("tracks.json"))
    (track,) = json.loads(archive.read(name))["tracks"]  # unvoted, so that no vote is asked of it
    assert track["provenance"]["support"] == []


def test_finished_tracks_are_taken_back_once_and_what_was_released_stays(bare: tuple[Project, Video]) -> None:
    project, video = bare
    alice = cast.client("Alice")
    made = send(*bare, **{"as": "tracks"}).json()
    release = alice.post(f"{stage.API}/projects/{project.pk}/releases/").json()
    cast.work_off()
    assert cast.client("Rita").post(f"{stage.API}/imports/{made['id']}/undo/").status_code == 403
    assert alice.post(f"{stage.API}/imports/{made['id']}/undo/").status_code == 200
    assert alice.post(f"{stage.API}/imports/{made['id']}/undo/").status_code == 409
    cast.work_off()
    assert alice.get(f"{stage.API}/videos/{video.pk}/tracks/").json()["results"] == []
    assert alice.get(f"{stage.API}/releases/{release['id']}/").json()["tracks"] == 2
    assert alice.post(f"{stage.API}/projects/{project.pk}/releases/").status_code == 409  # nothing is left
    assert send(*bare, **{"as": "tracks"}).status_code == 201


def test_gold_is_not_taken_back_like_tracks(bare: tuple[Project, Video]) -> None:
    made = send(*bare, **{"as": "gold"}).json()
    assert cast.client("Alice").post(f"{stage.API}/imports/{made['id']}/undo/").status_code == 409
