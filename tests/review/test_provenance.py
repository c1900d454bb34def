from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.core.stitching import SegmentTracks
from review.assembling import Whole
from review.core.stitch_packing import PackedStitch, pack
from review.models import Release, Stitch
from review.stitching import load_segments
from tests import cast
from tests.review import stage
from tests.review.rows import accepted, decide_anew, walker, walkers
from tests.review.test_results import labelled
from tests.review.test_stitches import built, released

pytestmark = pytest.mark.django_db


def test_two_releases_are_compared_track_by_track() -> None:
    rows = accepted(4)
    first = built(released(rows))
    segment = rows[3].segment
    part = walkers(segment.start, segment.stop, count=2)
    moved = walker(segment.start, segment.stop, 1, shift=4.0)
    decide_anew(rows[3], replace(part, tracks=(part.tracks[0], moved, walker(segment.start, segment.stop, 8))))
    second = built(released(rows))
    body = cast.client("Rita").get(f"{stage.API}/releases/{first.pk}/diff/?with={second.pk}").json()
    (video,) = body["videos"]
    assert [t["track"] for t in video["added"]] == [4] and video["gone"] == [] and video["unchanged"] == 1
    other, shorter = video["changed"]
    assert (other["track"], other["frames"]) == (2, 0) and other["moved"] > 20 and 0.8 < other["iou"] < 1
    assert (shorter["track"], shorter["iou"], shorter["moved"]) == (3, pytest.approx(1.0), 0)
    assert shorter["frames"] > 20
    back = cast.client("Rita").get(f"{stage.API}/releases/{second.pk}/diff/?with={first.pk}").json()["videos"][0]
    assert [t["track"] for t in back["gone"]] == [4]


def test_a_release_does_not_differ_from_itself() -> None:
    first = built(released(accepted(3)))
    (video,) = cast.client("Rita").get(f"{stage.API}/releases/{first.pk}/diff/?with={first.pk}").json()["videos"]
    assert video | {"video": ""} == {"video": "", "added": [], "gone": [], "changed": [], "unchanged": 3}


def test_releases_of_others_are_not_compared() -> None:
    first = built(released(accepted(3)))
    other = built(released(accepted(3, project=cast.project("Eve", "Hers"))))
    assert cast.client("Alice").get(f"{stage.API}/releases/{first.pk}/diff/?with={other.pk}").status_code == 404
    assert cast.client("Alice").get(f"{stage.API}/releases/{first.pk}/diff/").status_code == 404
    assert cast.client("Eve").get(f"{stage.API}/releases/{first.pk}/diff/?with={other.pk}").status_code == 404


def test_a_box_is_traced_to_its_submissions_and_verdicts() -> None:
    batch = labelled(frames=38)
    video = batch.batch_videos.get().video
    alice = cast.client("Alice")
    release = alice.post(f"{stage.API}/projects/{batch.project_id}/releases/").json()
    cast.work_off()
    address = f"{stage.API}/releases/{release['id']}/trace/?video={video.pk}"
    body = alice.get(f"{address}&track=1&frame=18").json()
    assert len(body["segments"]) == 2 and len(body["joins"]) == 1  # 18 lies in the overlap
    assert body["box"] == pytest.approx([14, 5, 44, 45], abs=0.6)
    for segment in body["segments"]:
        assert [(d["verdict"], d["by"]) for d in segment["decisions"]] == [("accept", "rule")]
        assert segment["reviewed"] == 0 and segment["source"] == "consensus"
        assert [s["supports"] for s in segment["submissions"]] == [True, True]
        assert {s["worker"][:2] for s in segment["submissions"]} == {"w-"}
    assert alice.get(f"{address}&track=9&frame=18").status_code == 404
    assert alice.get(f"{address}&track=1&frame=500").status_code == 404
    assert alice.get(f"{address}&track=x&frame=1").status_code == 400
    assert cast.client("Eve").get(f"{address}&track=1&frame=18").status_code == 404
    said = StringIO()
    call_command("trace", "Crossing", "--video", video.name, "--track", "1", "--frame", "18", stdout=said)
    assert json.loads(said.getvalue()) == body
    with pytest.raises(CommandError, match="no such thing"):
        call_command("trace", "Crossing", "--video", video.name, "--track", "9", "--frame", "18")


def test_a_trace_reads_the_segments_of_its_own_track_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = accepted(6)
    release = built(released(rows))
    (stitch_id,) = (release.content or {})["videos"].values()
    whole = Whole(Stitch.objects.select_related("video").get(pk=stitch_id))
    first = [row.segment_id for row in rows[:2]]
    stitched = whole.packed.unpack()
    identities = {ref: 1 if ref[0] in first else 2 for ref in stitched.identities}
    order = [segment for segment, _ in whole.row.inputs]
    whole.packed = PackedStitch(pack(replace(stitched, identities=identities, joins=()), order), order)
    read: list[str] = []

    def load(inputs: list[list[str]]) -> list[SegmentTracks]:
        read.extend(segment for segment, _ in inputs)
        return load_segments(inputs)

    monkeypatch.setattr("review.assembling.load_segments", load)
    found = whole.one(1)
    assert found is not None and read == first
    assert found == whole.objects[1] and whole.one(7) is None


def test_what_is_not_built_yet_is_not_traced() -> None:
    rows = accepted(3)
    release = released(rows)
    answer = cast.client("Rita").get(
        f"{stage.API}/releases/{release.pk}/trace/?video={rows[0].video_id}&track=1&frame=1"
    )
    assert answer.status_code == 409 and Release.objects.get().status == "building"
