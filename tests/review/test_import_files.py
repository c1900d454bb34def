"""Files as other tools wrote them, sent in as clients send them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from annotation import recording
from annotation.core.tracks import Tracks, fill
from annotation.formats.registry import READERS
from annotation.models import Project, TrackSet, Video
from review.models import Import
from tests import cast
from tests.formats.scenes import SHARED, needs_shared
from tests.formats.test_cvat import CVATS
from tests.review.test_imports import send

pytestmark = pytest.mark.django_db

FOLDER = SHARED / "import"
MARKS: list[dict[str, Any]] = [{"name": f"attr{n}", "kind": "boolean", "mutable": True} for n in range(1, 5)]
LABELS: list[dict[str, Any]] = [
    {"name": "car"},
    {"name": "person", "attributes": [{"name": "sex", "kind": "select", "values": ["f", "m"]}]},
    {"name": "cat", "attributes": [{"name": "src", "kind": "text"}]},
    {"name": "worker", "attributes": MARKS},
    {"name": "pc", "attributes": MARKS},
]


def cvat_s_answers() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as both:
        for name in ("annotations.json", "labels.json"):
            both.write(FOLDER / name, name)
    return out.getvalue()


@pytest.fixture
def wide() -> tuple[Project, Video]:
    """A video that has room for everybody's boxes, named as one of CVAT's jobs."""
    project = cast.project(labels=LABELS)
    video = cast.video(project, 60, name="51")
    Video.objects.filter(pk=video.pk).update(width=1920, height=1080)
    return project, video


def boxes_of(tracks: Tracks, stop: int) -> list[list[float]]:
    dense = fill(tracks.tracks, 0, stop)
    return sorted(dense.boxes[dense.present].tolist())


@needs_shared
@pytest.mark.parametrize(
    ("name", "format", "tracks"),
    [
        ("vatic.txt", "vatic", 4),
        ("detrac.xml", "detrac", 1),
        ("detrac.mat", "detrac", 1),
        ("motchallenge.txt", "mot", 4),
        ("annotations.json", "cvat-json", 2),
    ],
)
@pytest.mark.parametrize("kind", ["gold", "tracks"])
def test_files_of_other_tools_are_taken_with_their_boxes(
    wide: tuple[Project, Video], name: str, format: str, tracks: int, kind: str
) -> None:
    data = cvat_s_answers() if format == "cvat-json" else (FOLDER / name).read_bytes()
    answer = send(*wide, data, format=format, **{"as": kind})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["tracks"], answer.json()["format"]) == (tracks, format)
    if kind == "gold":
        gold = Import.objects.get().gold
        assert gold is not None
        alone = READERS[format](data, video="51")
        np.testing.assert_allclose(boxes_of(recording.load(gold.track_set), alone.stop), boxes_of(alone, alone.stop))


def test_an_xml_that_cvat_wrote_is_taken_as_finished_tracks(wide: tuple[Project, Video]) -> None:
    answer = send(*wide, CVATS, format="cvat", **{"as": "tracks"})
    assert answer.status_code == 201, answer.content
    (kept,) = TrackSet.objects.all()
    (track,) = recording.load(kept).tracks
    dense = fill([track], 0, 60)
    assert dense.present[0].nonzero()[0].tolist() == [2, 3, 4, 5] and dense.boxes[0, 3].tolist() == [11, 10, 21, 20]
    assert track.attributes == {"sex": "m"} and dense.occluded[0].nonzero()[0].tolist() == [4, 5]
