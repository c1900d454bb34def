"""Which of an export's videos a file is read for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annotation.core.tracks import Tracks, make_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.choosing import Part, Wanted, choose
from annotation.formats.content import Content
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, content, written

TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)


def listed(*said: tuple[str, str, str]) -> dict[str, object]:
    """A manifest of some videos: name, id, SHA-256."""
    return {"release": {"number": 1}, "videos": [{"name": n, "id": i, "sha256": s} for n, i, s in said]}


ALIKE = listed((VIDEO.name, "v1", "aa"), (VIDEO.name, "v2", "bb"))


def exported(format: str, manifest: dict[str, object]) -> bytes:
    """Two videos of one name: in the first a box at 100, in the second at 200."""
    tracks = [make_track("1", "car", [0], [[x, 10, x + 50, 60]]) for x in (100, 200)]
    videos = [content(Tracks(0, VIDEO.frame_count, (t,))).videos[0] for t in tracks]
    return written(FORMATS[format].write, Content(LABELS, videos, manifest))


def left_edge(format: str, data: bytes, part: Part) -> float:
    found = FORMATS[format].read(data, replace(TARGET, place=part.place), video=part.folder).tracks
    (edge,) = {round(float(t.points[0, 0]), 3) for t in found}
    return edge


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_of_two_videos_of_one_name_each_gets_its_own_tracks(format: str) -> None:
    data = exported(format, ALIKE)
    for sha256, edge in (("aa", 100), ("bb", 200)):
        assert left_edge(format, data, choose(data, Wanted(VIDEO.name, "elsewhere", sha256))) == edge
    assert left_edge(format, data, choose(data, Wanted(VIDEO.name, "v2", "aa"))) == 200  # the very video


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_of_two_videos_of_one_name_none_is_taken_for_a_third(format: str) -> None:
    with pytest.raises(InvalidFile, match=r"several videos fit 'walk\.mp4' .*v1.*walk\.mp4-2.*v2"):
        choose(exported(format, ALIKE), Wanted(VIDEO.name, "elsewhere", "cc"))


def test_one_file_that_was_uploaded_twice_is_told_apart_by_its_names_or_not_at_all() -> None:
    data = exported("mot", listed(("a", "v1", "aa"), ("b", "v2", "aa")))
    assert choose(data, Wanted("b", "", "aa")) == Part("b", 1)
    with pytest.raises(InvalidFile, match="several videos fit 'c'"):
        choose(data, Wanted("c", "", "aa"))


def test_a_video_that_has_another_name_by_now_is_known_by_its_file() -> None:
    data = exported("mot", listed(("a", "v1", "aa"), ("b", "v2", "bb")))
    assert choose(data, Wanted("c", "", "bb")) == Part("b", 1)
    assert choose(data, Wanted("a", "", "cc")) == Part("a", 0)  # encoded anew
    with pytest.raises(InvalidFile, match="none of which is 'c'.*'a'.*'b'"):
        choose(data, Wanted("c", "", "cc"))


@pytest.mark.parametrize("manifest", [{}, {"videos": [3]}, {"videos": [{"name": "x"}]}, {"release": 1, "videos": {}}])
def test_without_a_manifest_of_ours_a_video_has_its_name(manifest: dict[str, object]) -> None:
    assert choose(exported("mot", manifest), Wanted("gate: 2")) == Part("gate_ 2")
    assert choose(b"1,1,1,1,1,1,1,1,1", Wanted("gate: 2")) == Part("gate_ 2")


def test_a_coco_document_alone_of_two_videos_of_one_name_is_refused() -> None:
    data = exported("coco", {})
    with pytest.raises(InvalidFile, match=r"several videos named 'walk\.mp4' \(ids 1, 2\)"):
        FORMATS["coco"].read(data, TARGET, video=VIDEO.name)
