from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.ontology import InvalidLabels, Ontology, parse_labels
from tests.core.documents import LABELS


def problems(data: object) -> dict[str, str]:
    with pytest.raises(InvalidLabels) as caught:
        parse_labels(data)
    return {p.pointer: p.message for p in caught.value.errors}


def test_labels_are_read_and_written_back_equal():
    read = parse_labels(LABELS)
    assert read.names == ("person", "car")
    assert read.by_name["person"].by_name["sex"].default == "f"
    assert parse_labels(read.to_json()) == read


def attribute(**more):
    return [{"name": "a", "attributes": [{"name": "b", "kind": "text"} | more]}]


@pytest.mark.parametrize(
    ("labels", "pointer", "says"),
    [
        (None, "/labels", "must be a list"),
        (["person"], "/labels/0", "must be an object"),
        ([{}], "/labels/0/name", "must be a text"),
        ([{"name": " "}], "/labels/0/name", "must not be empty"),
        ([{"name": "a\nb"}], "/labels/0/name", "one line"),
        ([{"name": "a"}, {"name": "a"}], "/labels/1/name", "twice"),
        ([{"name": "a", "shape": "polygon"}], "/labels/0/shape", "cannot be drawn yet|no shape that can be drawn yet"),
        ([{"name": "a", "shape": ["box"]}], "/labels/0/shape", "no shape"),
        ([{"name": "a", "color": "red"}], "/labels/0/color", "#2080c0"),
        ([{"name": "a", "attributes": {}}], "/labels/0/attributes", "must be a list"),
        (attribute(kind="date"), "/labels/0/attributes/0/kind", "select, number, text, boolean"),
        (attribute(kind="select"), "/labels/0/attributes/0/values", "needs values"),
        (attribute(kind="select", values=["x", "x"]), "/labels/0/attributes/0/values/1", "twice"),
        (attribute(kind="select", values=[1]), "/labels/0/attributes/0/values/0", "must be a text"),
        (attribute(kind="select", values=["x"], default="y"), "/labels/0/attributes/0/default", "not one of 'x'"),
        (attribute(kind="number", default="3"), "/labels/0/attributes/0/default", "must be a number"),
        (attribute(mutable="yes"), "/labels/0/attributes/0/mutable", "true or false"),
    ],
)
def test_wrong_labels_are_named_by_pointer(labels, pointer, says):
    found = problems(labels)
    assert list(found) == [pointer]
    assert any(word in found[pointer] for word in says.split("|"))


def test_two_attributes_of_one_name_point_at_the_second():
    twice = [{"name": "b", "kind": "text"}, {"name": "b", "kind": "number"}]
    assert list(problems([{"name": "a", "attributes": twice}])) == ["/labels/0/attributes/1/name"]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**4000)
words = st.sampled_from(["name", "shape", "color", "attributes", "kind", "values", "mutable", "default"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5), max_leaves=20
)


@given(anything)
def test_any_json_makes_an_ontology_or_is_refused(data):
    try:
        assert isinstance(parse_labels(data), Ontology)
    except InvalidLabels as refused:
        "".join(p.pointer + p.message for p in refused.errors).encode()
