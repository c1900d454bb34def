"""Labels of what happens: intervals have them, and nothing that has a place in the picture."""

from __future__ import annotations

import pytest

from annotation.core.ontology import parse_labels
from annotation.core.parsing import InvalidTracks, parse_tracks
from annotation.core.tracks import Tracks
from tests.core.documents import document, keyframe

LABELS = [{"name": "crossing", "shape": "interval"}, {"name": "person"}, {"name": "car"}]
ONTOLOGY = parse_labels(LABELS)


def parse(data: object) -> Tracks:
    return parse_tracks(data, ontology=ONTOLOGY, start=100, stop=200)


def test_the_shape_is_kept_and_only_the_others_are_drawn() -> None:
    assert parse_labels(ONTOLOGY.to_json()) == ONTOLOGY
    assert (ONTOLOGY.names, ONTOLOGY.drawn.names) == (("crossing", "person", "car"), ("person", "car"))
    assert ONTOLOGY.drawn.drawn == ONTOLOGY.drawn


def test_intervals_have_any_label() -> None:
    said = [{"label": name, "start": 100, "stop": 110} for name in ("crossing", "car")]
    assert [i.label for i in parse({"tracks": [], "intervals": said}).intervals] == ["crossing", "car"]


def test_a_track_with_such_a_label_is_refused_by_its_pointer() -> None:
    with pytest.raises(InvalidTracks) as caught:
        parse(document(keyframe(110), label="crossing", attributes={}))
    (problem,) = caught.value.errors
    assert problem.pointer == "/tracks/0/label"
    assert problem.message == "'crossing' is a label of intervals, which have no boxes; there are: 'person', 'car'"


def test_a_label_that_tracks_still_have_keeps_its_place_in_the_picture_for_them() -> None:
    older = parse_labels([{"name": "crossing"}, {"name": "person"}])
    assert ONTOLOGY.with_lost(older, {"crossing": ()}).drawn.names == ("crossing", "person", "car")
    assert ONTOLOGY.with_lost(older, {"person": ()}).drawn.names == ("person", "car")
