from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.json_input import InvalidJson, load_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(-(10**18), 10**18, exclude_min=True, exclude_max=True)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
def test_what_json_writes_is_read_back(value, ascii):
    text = json.dumps(value, ensure_ascii=ascii)
    assert load_json(text.encode("utf-8", "surrogatepass" if ascii else "strict")) == value


@pytest.mark.parametrize(
    ("written", "meant"), [(b"10", 10), (b"10.0", 10), (b"1e1", 10), (b"100e-1", 10), (b"0.0", 0), (b"-0.0", 0)]
)
def test_a_whole_number_is_one_however_it_is_written(written, meant):
    assert type(load_json(written)) is int and load_json(written) == meant


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\1e.-NaIfinty ', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_and_nothing_else_happens(raw):
    try:
        load_json(raw)
    except InvalidJson as refused:
        assert refused.errors


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no JSON"),
        (b'{"a": NaN}', "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"[1e18]", "too large"),
        (b"[" + b"9" * 5000 + b"]", "5000 digits"),
        (b"[" + b"9" * 19 + b"]", "19 digits"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' is there twice"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "deep"),
        (b'{"a":' * 100_000, "deep"),
        (b"[" * 40 + b"]" * 40, "deep"),
        (b'["]]]]]]]]]]]]]]]]]]]]]",' + b"[" * 40 + b"]" * 41, "deep"),
        (b"[" + b"[]," * 1_000_001 + b"0]", "lists and objects"),
        (b"[" + b"0," * 20_000_000 + b"0]", "bytes"),
        (b'["\x00"]', "control character"),
    ],
)
def test_hostile_json_is_refused_with_a_reason(raw, says):
    with pytest.raises(InvalidJson, match=says):
        load_json(raw)


def test_a_sign_is_no_digit():
    assert load_json(b"[-999999999999999999, 999999999999999999]") == [1 - 10**18, 10**18 - 1]


def test_brackets_in_texts_are_not_depth():
    assert load_json(json.dumps(["[" * 500, '\\"[' * 500]).encode()) == ["[" * 500, '\\"[' * 500]


def inner(value):
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None


def opened(value):
    return 0 if inner(value) is None else 1 + sum(map(opened, inner(value)))


def depth(value):
    return 0 if inner(value) is None else 1 + max(map(depth, inner(value)), default=0)


texts = st.text(alphabet='\\"[]{}a', max_size=6)
nested = st.recursive(texts, lambda few: st.lists(few, max_size=3) | st.dictionaries(texts, few, max_size=3))


@settings(max_examples=300)
@given(nested, st.integers(1, 9))
def test_lists_and_depth_are_counted_wherever_blocks_of_the_text_end(value, block):
    raw = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("annotation.core.json_input._BLOCK", block)
        counted, deep = opened(value), depth(value)
        assert load_json(raw, max_depth=deep, max_containers=counted) == value
        if counted:
            with pytest.raises(InvalidJson, match="lists and objects"):
                load_json(raw, max_depth=deep, max_containers=counted - 1)
            with pytest.raises(InvalidJson, match="deep"):
                load_json(raw, max_depth=deep - 1, max_containers=counted)


def test_counting_takes_little_memory_whatever_the_size():
    raw = b"[" + b'{"a":[0],"b":"c"},' * 500_000 + b"0]"
    tracemalloc.start()
    with pytest.raises(InvalidJson, match="1000001 lists and objects"):
        load_json(raw)
    assert tracemalloc.get_traced_memory()[1] < 2 * len(raw)
    tracemalloc.stop()


def test_a_text_of_escapes_that_never_closes_is_refused_at_once():
    with pytest.raises(InvalidJson, match="no JSON"):
        load_json(b'"' + b'\\"' * 2_000_000)
