"""Labels that no box can have do not show in formats of boxes: neither in their classes nor in what is read."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest

from annotation.core.ontology import Label, Ontology
from annotation.core.tracks import Interval
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, assert_same, content, scene, written

MORE = Ontology((LABELS.labels[0], Label("crossing", "interval"), LABELS.labels[1]))
TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, MORE)
BOXES = sorted(set(FORMATS) - {"json"})


def members(name: str, ontology: Ontology) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(written(FORMATS[name].write, content(scene(), ontology=ontology))))
    return {n: archive.read(n) for n in archive.namelist()}


@pytest.mark.parametrize("name", BOXES)
def test_a_format_of_boxes_is_the_same_with_and_without_them(name: str) -> None:
    assert members(name, MORE) == members(name, LABELS)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"yolo"}))
def test_what_was_written_is_read_with_the_same_labels(name: str) -> None:
    raw = written(FORMATS[name].write, content(scene(), ontology=MORE))
    assert_same(scene(), FORMATS[name].read(raw, TARGET), atol=1e-3)


def test_json_holds_them_and_their_intervals() -> None:
    happened = replace(scene(), intervals=(Interval("crossing", 3, 9, "11"),))
    raw = written(FORMATS["json"].write, content(happened, ontology=MORE))
    document = json.loads(zipfile.ZipFile(io.BytesIO(raw)).read("walk.mp4/tracks.json"))
    assert [(label["name"], label["shape"]) for label in document["labels"]][1] == ("crossing", "interval")
    assert {track["label"] for track in document["tracks"]} == {"person", "car"}
    assert FORMATS["json"].read(raw, TARGET).intervals == happened.intervals


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"mot"}))  # which has numbers, and none for these
def test_boxes_with_such_a_label_are_refused(name: str) -> None:
    drawn = Ontology((LABELS.labels[0], Label("crossing"), LABELS.labels[1]))
    odd = replace(scene(), tracks=(scene().tracks[0], replace(scene().tracks[1], label="crossing", attributes={})))
    raw = written(FORMATS[name].write, content(replace(odd, intervals=()), ontology=drawn))
    with pytest.raises(InvalidFile) as caught:
        FORMATS[name].read(raw, TARGET)
    assert any("label of intervals" in problem.message for problem in caught.value.errors)
