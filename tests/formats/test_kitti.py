from __future__ import annotations

import io
import zipfile

from annotation.core.ontology import plain_ontology
from annotation.core.tracks import Tracks, make_track
from annotation.formats.assembling import Target
from annotation.formats.kitti import read_kitti
from annotation.formats.registry import FORMATS
from tests.formats.scenes import VIDEO, content, written

CLOSE = ["a b", "a_b", "a\u00a0b", "DontCare", "dontcare", "car"]
LINE = b"0 {} DontCare 0 0 -10 1 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10\n"


def test_labels_that_differ_only_in_blanks_and_one_called_dontcare_come_back():
    ontology = plain_ontology(CLOSE)
    box = [[10, 10, 50, 50]]
    tracks = Tracks(0, 40, tuple(make_track(str(i), name, [0], box) for i, name in enumerate(CLOSE, 1)))
    raw = written(FORMATS["kitti"].write, content(tracks, VIDEO, ontology))
    lines = zipfile.ZipFile(io.BytesIO(raw)).read("label_02/0000.txt").decode().splitlines()
    assert {line.split()[2] for line in lines} == {"a_b", "a_b-2", "a_b-3", "DontCare-2", "dontcare-2", "car"}
    found = read_kitti(raw, Target(40, 640, 480, ontology)).tracks
    assert [t.label for t in found] == CLOSE


def test_regions_of_no_object_are_left_out_and_tracks_of_that_label_are_not():
    def found(labels: list[str], track: bytes) -> list[str]:
        target = Target(40, 640, 480, plain_ontology(labels))
        return [t.label for t in read_kitti(LINE.replace(b"{}", track), target).tracks]

    assert found(["car"], b"-1") == found(["car"], b"3") == found(["DontCare"], b"-1") == []
    assert found(["DontCare"], b"3") == ["DontCare"]
