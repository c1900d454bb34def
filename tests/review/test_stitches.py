from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db.models.functions import Now

from annotation import defining
from annotation.core import stitching as core
from annotation.core.tracks import Tracks, make_track
from annotation.formats.registry import FORMATS
from review import composing, exporting, releasing, stitching
from review.models import Consensus, Export, Join, Release, Stitch
from review.stitching import stitch_video, unpack
from tests import cast
from tests.review.rows import accepted, decide_anew, walker, walkers

pytestmark = pytest.mark.django_db


def stitched(rows: list[Consensus]) -> Stitch:
    found = stitch_video(video_id=rows[0].video_id)
    assert found is not None
    return found


def passers(start: int, stop: int) -> Tracks:
    """Somebody new every fifteen frames, who is there for a hundred, where nobody was before."""
    tracks = []
    for r in range(stop // 15 + 1):
        here = max(start, 15 * r), min(stop, 15 * r + 100)
        if here[0] < here[1]:
            left, top = 100 * (r % 12), 80 * (r // 12)
            points = [[left + f / 50, top, left + f / 50 + 40, top + 60] for f in (here[0], here[1] - 1)]
            gone = [(here[1], [0.0] * 4, True)] if here[1] < stop else []
            keys = [(here[0], points[0], False), (here[1] - 1, points[1], False), *gone][here[1] - here[0] == 1 :]
            frames, points, outside = (list(column) for column in zip(*keys, strict=True))
            tracks.append(make_track(f"{start}-{r}", "person", frames, points, outside=outside))
    return Tracks(start, stop, tuple(tracks))


@pytest.mark.parametrize(("place", "borders"), [(0, 1), (1, 2), (24, 2), (49, 1)])
def test_deciding_one_of_fifty_segments_anew_computes_its_borders_alone_and_keeps_every_id(
    place: int, borders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = accepted(50, passers)
    computed: list[tuple[str, str]] = []
    real = core.join_borders

    def counted(pairs: Any, verdicts: Any) -> Any:
        computed.extend((left.key, right.key) for left, right in pairs)
        return real(pairs, verdicts)

    monkeypatch.setattr(core, "join_borders", counted)
    before = stitched(rows)
    assert (len(computed), before.borders_computed, before.track_count) == (49, 49, 81)
    computed.clear()
    segment = rows[place].segment
    # One is not seen any more, the others are a little elsewhere, in another order, under other ids.
    part = passers(segment.start, segment.stop)
    moved = tuple(replace(t, id=f"anew-{t.id}", points=t.points + 1.5) for t in part.tracks[:0:-1])
    decide_anew(rows[place], replace(part, tracks=moved))
    after = stitched(rows)
    keys = [row.segment_id for row in rows]
    beside = [(keys[i], keys[i + 1]) for i in (place - 1, place) if 0 <= i < 49]
    assert (computed, after.borders_computed, len(beside)) == (beside, borders, borders)
    old, new = unpack(before).identities, unpack(after).identities
    assert {ref: new[ref] for ref in old if ref[0] != segment.pk} == {
        r: n for r, n in old.items() if r[0] != segment.pk
    }
    elsewhere = {n for (key, _), n in old.items() if key != segment.pk}
    numbers = {t.id: old[segment.pk, t.id.removeprefix("anew-")] for t in moved}
    assert all(new[segment.pk, id] == number for id, number in numbers.items() if number in elsewhere)


def test_whoever_is_new_in_a_segment_decided_anew_gets_a_number_that_nobody_had() -> None:
    rows = accepted(24)
    before = stitched(rows)
    segment = rows[12].segment
    part = walkers(segment.start, segment.stop, shift=2.0, count=2)
    decide_anew(rows[12], replace(part, tracks=(*part.tracks, walker(segment.start, segment.stop, 7))))
    after = unpack(stitched(rows)).identities
    assert before.track_count == 3
    assert {n for (key, _), n in after.items() if key == segment.pk} == {1, 2, 4}


def test_a_segment_that_is_decided_later_computes_its_borders_alone() -> None:
    rows = accepted(20)
    Consensus.objects.filter(pk=rows[7].pk).update(status="pending", decided_at=None)
    before = stitched(rows)
    Consensus.objects.filter(pk=rows[7].pk).update(status="accepted", decided_at=Now())
    after = stitched(rows)
    assert after.borders_computed == 2
    old, new = unpack(before).identities, unpack(after).identities
    touched = {n for (key, _), n in new.items() if key == rows[7].segment_id}
    assert {r: n for r, n in old.items() if n not in touched} == {r: new[r] for r, n in old.items() if n not in touched}
    assert after.track_count == 3 and touched <= set(old.values())


def test_two_stitchings_at_once_give_one_object_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = accepted(4)
    Consensus.objects.filter(pk=rows[0].pk).update(status="pending", decided_at=None)
    real, calls = stitching.stitch, []

    def meanwhile(*args: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:  # the other one is faster, and knows of less
            monkeypatch.setattr(stitching, "stitch", real)
            stitch_video(video_id=rows[0].video_id, inputs=stitching.accepted_inputs(rows[0].video_id)[:-1])
            monkeypatch.setattr(stitching, "stitch", meanwhile)
        return real(*args, **how)

    monkeypatch.setattr(stitching, "stitch", meanwhile)
    after = stitched(rows)
    first = Stitch.objects.order_by("version").first()
    assert first is not None and (after.version, len(calls)) == (2, 2)
    now = unpack(after).identities
    assert all(now[ref] == number for ref, number in unpack(first).identities.items())


def test_the_same_content_stitched_twice_at_once_is_stored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = accepted(3)
    real = stitching.stitch

    def meanwhile(*args: Any, **how: Any) -> Any:
        monkeypatch.setattr(stitching, "stitch", real)
        stitch_video(video_id=rows[0].video_id)
        return real(*args, **how)

    monkeypatch.setattr(stitching, "stitch", meanwhile)
    stitched(rows)
    assert Stitch.objects.count() == 1


def released(rows: list[Consensus]) -> Release:
    project = rows[0].video.project
    return releasing.release(project=project, by=project.owner)


def built(release: Release) -> Release:
    releasing.build_release(release_id=release.pk)
    release.refresh_from_db()
    assert release.status == "ready"
    return release


def verdict(rows: list[Consensus], *, same: bool) -> Join:
    """A reviewer's word on the first walker over the first border."""
    left, right = rows[0].segment, rows[1].segment
    return Join.objects.create(
        video_id=left.video_id,
        left_segment=left,
        left_track=f"{left.start}-0",
        right_segment=right,
        right_track=f"{right.start}-0",
        kind="border",
        confidence=0.5,
        same=same,
        decided_by=cast.user("Rita"),
        decided_at=Now(),
    )


def test_a_release_holds_no_verdict_that_came_after_the_call() -> None:
    rows = accepted(3)
    release = released(rows)
    verdict(rows, same=False)
    stitched(rows)
    assert built(release).tracks == 3
    later = released(rows)
    assert later.pk != release.pk and built(later).tracks == 4


def test_an_old_release_is_built_the_same_after_later_decisions() -> None:
    rows = accepted(3)
    first = built(released(rows))
    content = first.sha256
    decide_anew(rows[1], walkers(rows[1].segment.start, rows[1].segment.stop, count=2))
    stitched(rows)
    Release.objects.filter(pk=first.pk).update(status="building", sha256=None, content=None)
    assert built(first).sha256 == content


def test_a_cancelled_batch_is_in_no_release() -> None:
    rows = accepted(3)
    rows[0].batch.batch_videos.update(live=False)
    with pytest.raises(releasing.NothingToRelease):
        released(rows)


def export_of(rows: list[Consensus], format: str = "json") -> Export:
    made = exporting.export(release=built(released(rows)), format=format, video=None, by=None)
    exporting.write_export(export_id=made.pk)
    made.refresh_from_db()
    return made


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_labels_and_attributes_that_the_project_gave_up_are_still_exported(format: str) -> None:
    def draw(start: int, stop: int) -> Tracks:
        part = walkers(start, stop, count=1)
        one = replace(walker(start, stop, 2), attributes={"sex": "f"}, changes={start: {"pose": "walking"}})
        return replace(part, tracks=(one, walker(start, stop, 4, label="car")))

    rows = accepted(3, draw)
    defining.change_ontology(project=rows[0].video.project, labels=[{"name": "dog"}, {"name": "person"}])
    made = export_of(rows, format)
    assert made.status == "ready", made.reason
    with composing.content_of(made.release) as content:
        ontology = content.ontology
    assert ontology.names == ("dog", "person", "car")
    assert set(ontology.by_name["person"].by_name) == {"sex", "pose"}


# Whoever is killed closes no files.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("step", ["writing", "storing", "telling"])
def test_an_export_that_is_killed_at_any_step_goes_on_to_the_same_bytes(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = accepted(3)
    whole = export_of(rows)
    Export.objects.update(status="building", file="", sha256="", bytes=None)

    class Killed(BaseException):
        pass

    def die(*args: Any, **how: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if step == "writing":
            patch.setattr("annotation.formats.zipping.ZipWriter.close", die)
        elif step == "storing":
            patch.setattr("annotation.storing.default_storage.save", die)
            patch.setattr("annotation.storing.default_storage.exists", lambda name: False)
        else:
            patch.setattr("django.db.models.query.QuerySet.update", die)
        with pytest.raises(Killed):
            exporting.write_export(export_id=whole.pk)
    again = Export.objects.get(pk=whole.pk)
    assert again.status == "building"
    exporting.write_export(export_id=whole.pk)
    again.refresh_from_db()
    assert (again.status, again.sha256) == ("ready", whole.sha256)


def test_where_a_segment_leaves_its_neighbours_meet_and_nobody_changes_number() -> None:
    rows = accepted(8)
    before = stitched(rows)
    Consensus.objects.filter(pk=rows[3].pk).update(status="pending", decided_at=None)
    after = stitched(rows)
    assert after.borders_computed <= 2 and after.track_count == 3
    old, new = unpack(before).identities, unpack(after).identities
    assert new == {ref: number for ref, number in old.items() if ref[0] != rows[3].segment_id}
