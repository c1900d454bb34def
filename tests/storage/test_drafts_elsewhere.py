"""An export that one host began and another one ends."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import pytest

from annotation import mirroring
from annotation.bucket import Bucket
from annotation.formats.drafts import Draft
from review import exporting
from review.models import Export
from tests.review.test_exports import Killed, made_bytes, released
from tests.storage.conftest import use

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.mark.parametrize("format", ["mot", "cvat", "coco"])
def test_hosts_that_die_after_each_part_hand_the_export_on(
    format: str, bucket: Bucket, address: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.assembling.PART_CELLS", 1)  # a part for every segment
    monkeypatch.setattr("review.assembling.LEAST_FRAMES", 25)
    release = released(segments=6)
    expected = hashlib.sha256(made_bytes(release, format)).hexdigest()
    assert bucket.listdir("drafts") == ([], [])
    Export.objects.update(status="building", file="", sha256="", bytes=None)
    row = Export.objects.get()
    monkeypatch.setattr(Draft, "due", property(lambda self: True))
    monkeypatch.setattr(mirroring, "EVERY_S", 0.0)
    known, reached = Draft.note, [-1]

    def note_and_die(self: Draft, state: Any, files: Any) -> None:
        known(self, state, files)
        assert state["offset"] >= reached[-1]
        reached.append(state["offset"])
        raise Killed

    monkeypatch.setattr(Draft, "note", note_and_die)
    hosts = 0
    while row.status == "building":
        hosts += 1
        assert hosts < 100
        use(address, settings, tmp_path / f"host-{hosts}")  # with nothing on its disk
        with contextlib.suppress(Killed):
            exporting.write_export(export_id=row.pk)
        row.refresh_from_db()
    assert row.sha256 == expected and hosts > 4 and reached[-1] > 0
    assert bucket.listdir("drafts") == ([], [])


def test_a_draft_whose_parts_were_cleared_away_is_begun_anew(bucket: Bucket, tmp_path: Path) -> None:
    folder = tmp_path / "draft"
    folder.mkdir()
    draft = Draft(folder, "an identity")
    mirror = mirroring.Mirror(folder, "an-export", every_s=0.0)
    with draft.file("file", 0) as out:
        for n in range(3):
            out.write(b"%d" % n * 10)
            draft.note({"phase": "a", "offset": out.tell()}, [out])
            mirror.push()
    other = tmp_path / "other"
    other.mkdir()
    mirroring.Mirror(other, "an-export").pull("an identity")
    assert (other / "file").read_bytes() == b"0" * 10 + b"1" * 10 + b"2" * 10
    assert Draft(other, "an identity").length == 30 and Draft(other, "another").length == 0
    for name in bucket.listdir("drafts/an-export")[1]:
        if name.startswith("file-10"):
            bucket.delete(f"drafts/an-export/{name}")
    third = tmp_path / "third"
    third.mkdir()
    mirroring.Mirror(third, "an-export").pull("an identity")
    assert Draft(third, "an identity").length == 0


def test_a_file_that_a_phase_begins_anew_is_sent_anew(bucket: Bucket, tmp_path: Path) -> None:
    folder, other = tmp_path / "draft", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    draft = Draft(folder, "i")
    mirror = mirroring.Mirror(folder, "e", every_s=0.0)
    for offset, (phase, rows) in enumerate((("a", b"aaaa"), ("b", b"bbbbbb")), 1):
        with draft.file("rows", 0) as out:
            out.write(rows)
            draft.note({"phase": phase, "offset": offset}, [out])
        mirror.push()
    mirroring.Mirror(other, "e").pull("i")
    assert (other / "rows").read_bytes() == b"bbbbbb"


def noted(folder: Path, parts: int, mirror: mirroring.Mirror | None = None) -> None:
    """A draft in `folder`, of ten bytes a part; sent up after each, where there is a mirror."""
    folder.mkdir()
    draft = Draft(folder, "i")
    with draft.file("file", 0) as out:
        for n in range(parts):
            out.write(b"%d" % n * 10)
            draft.note({"phase": "a", "offset": out.tell()}, [out])
            if mirror is not None:
                mirror.push()


def test_a_hand_over_that_breaks_off_leaves_no_draft_that_looks_whole(bucket: Bucket, tmp_path: Path) -> None:
    ahead, behind = tmp_path / "ahead", tmp_path / "behind"
    noted(behind, 2)
    noted(ahead, 3, mirroring.Mirror(ahead, "e", every_s=0.0))
    assert Draft(behind, "i").length == 20
    for name in bucket.listdir("drafts/e")[1]:
        if name.startswith("file-10"):  # cleared away: what comes after the first ten bytes is not to be had
            bucket.delete(f"drafts/e/{name}")
    mirroring.Mirror(behind, "e").pull("i")
    draft = Draft(behind, "i")
    with draft.file("file", draft.length) as out:
        out.seek(0)
        assert out.read() == (b"0" * 10 + b"1" * 10)[: draft.length]


def test_what_is_new_goes_up_in_pieces_of_a_bounded_size(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirroring, "CHUNK_BYTES", 4)
    folder, other = tmp_path / "draft", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    draft, mirror = Draft(folder, "i"), mirroring.Mirror(folder, "e", every_s=0.0)
    with draft.file("file", 0) as out:
        out.write(b"0123456789")
        draft.note({"phase": "a", "offset": 10}, [out])
    mirror.push()
    sizes = [bucket.size(f"drafts/e/{name}") for name in bucket.listdir("drafts/e")[1] if name.startswith("file")]
    assert sorted(sizes) == [2, 4, 4]
    mirroring.Mirror(other, "e").pull("i")
    assert (other / "file").read_bytes() == b"0123456789"
